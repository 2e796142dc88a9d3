#pragma once
#include "core/base/result.hpp"
#include "ra/outbox.hpp"

namespace postern::app {

/// What differs between the executables that are linked from these objects, beside core::fail_point:
/// the senders of outgoing messages. The shipped executable has none yet. Error: the environment asks
/// postern-faulty for something that it does not know.
core::Result<ra::Senders> variant_senders();

}  // namespace postern::app
