#pragma once
#include "app/config.hpp"
#include "ra/outbox.hpp"

namespace postern::app {

/// Runs the server until SIGTERM or SIGINT; the exit status. Prints where things are on standard
/// output, logs on standard error. `senders`: who delivers which kind of outgoing message.
int serve(Config config, ra::Senders senders);

}  // namespace postern::app
