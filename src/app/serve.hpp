#pragma once
#include "app/reload.hpp"
#include "ra/outbox.hpp"

namespace postern::app {

/// Runs the server until SIGTERM or SIGINT; the exit status. Prints where things are on standard
/// output, logs on standard error. `read` gives the configuration as it is at a SIGHUP; `senders`: who
/// delivers which kind of outgoing message.
int serve(Config config, ReadConfig read, ra::Senders senders);

}  // namespace postern::app
