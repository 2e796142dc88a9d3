#pragma once
#include <functional>

#include "app/own_tls.hpp"
#include "app/settings.hpp"
#include "core/http/server.hpp"

namespace postern::app {

/// The configuration as file and command line say it now.
using ReadConfig = std::function<core::Result<Config>()>;

/// SIGHUP: takes what can be changed while running (TLS certificate, limits, log level) from the
/// configuration as it is now, and opens the log file anew. All or nothing: what cannot be read leaves
/// everything as it was. Open connections keep what they began with.
class Reload {
public:
    /// `started` is what the process was started with.
    Reload(House& house, OwnTls& tls, http::Server& server, Config started, ReadConfig read);

    /// {"changed": ["limits.idle: 75000ms -> 5000ms"], "restart": […]}, and a line in the log. The keys
    /// under "restart" changed in the file and wait for the next start. On the executor of `tls`.
    core::Result<std::string> run();

private:
    core::Result<std::string> attempt();

    House& house_;
    OwnTls& tls_;
    http::Server& server_;
    Config current_;  ///< what is in force
    ReadConfig read_;
};

}  // namespace postern::app
