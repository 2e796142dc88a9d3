#pragma once
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/http/message.hpp"

namespace postern::app {

/// How a command-line verb reaches the handlers of REST (design §11): over the control socket where
/// a server runs on the data folder, to another machine with --server, else in this process under
/// the folder's lock. One implementation behind all three.
struct DoorOptions {
    DoorOptions() = default;
    Config config;           ///< config.data: the folder
    std::string config_file; ///< postern.toml that a stopped server is started with; empty: the package's for its folder
    std::string store;       ///< as `serve --store`; empty: what the file says
    std::string server;      ///< "https://host:port" or empty
    std::string token_file;  ///< bearer token for `server`
    std::string ca_file;     ///< trust for `server`; empty: the system's store
};

class Door {
public:
    /// Throws std::runtime_error for what stops a verb: nobody there, no such folder, no token. Where no
    /// server runs, root becomes the folder's owner: read what only root may read before.
    static std::unique_ptr<Door> open(DoorOptions options);
    virtual ~Door() = default;
    virtual http::Response ask(http::Request request) = 0;
};

/// A request with a body of JSON, or none.
http::Request make_request(http::Method method, std::string target, std::string json_body = {});

}  // namespace postern::app
