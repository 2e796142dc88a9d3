#pragma once
#include "app/reload.hpp"

namespace postern::app {

/// Runs the server until SIGTERM or SIGINT; the exit status. Prints where things are on standard
/// output, logs on standard error. `read` gives the configuration as it is at a SIGHUP.
int serve(Config config, ReadConfig read);

}  // namespace postern::app
