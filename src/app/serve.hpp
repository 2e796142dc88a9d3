#pragma once
#include "app/config.hpp"

namespace postern::app {

/// Runs the server until SIGTERM or SIGINT; the exit status. Prints where things are on standard
/// output, logs on standard error.
int serve(Config config);

}  // namespace postern::app
