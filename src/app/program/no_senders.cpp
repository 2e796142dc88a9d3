#include "app/program/variant.hpp"

namespace postern::app {

core::Result<ra::Senders> variant_senders() { return ra::Senders(); }

}  // namespace postern::app
