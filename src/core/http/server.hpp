#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/shards.hpp"
#include "core/async/task_group.hpp"
#include "core/base/random.hpp"
#include "core/http/router.hpp"
#include "core/http/tls_context.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"

/// HTTP/1.1 server over plain TCP, TLS and Unix sockets.
namespace postern::http {

/// Every phase of a connection has a deadline; every size has a limit.
struct ServerLimits {
    ServerLimits() = default;
    std::size_t header_bytes = 16 * 1024;  ///< all header lines with their line ends: 431
    std::size_t header_count = 100;        ///< 431
    std::size_t uri_bytes = 8 * 1024;      ///< 414
    std::size_t connections = 10'000;          ///< on all listeners together; beyond, who is not being served gives way
    std::chrono::milliseconds handshake{10'000};  ///< from accept to the end of the TLS handshake
    std::chrono::milliseconds head{10'000};       ///< from the first byte of a request to its blank line: 408
    std::chrono::milliseconds body{30'000};       ///< from there to the end of the body: 408
    std::chrono::milliseconds idle{75'000};       ///< between requests on a kept connection
    std::chrono::milliseconds write{30'000};      ///< to send one answer
};

struct Endpoint {  ///< where to listen
    Endpoint() = default;
    Endpoint(std::string n, std::string a, std::uint16_t p) : name(std::move(n)), address(std::move(a)), port(p) {}
    std::string name;       ///< label in logs and metrics: "https", "http", "management"
    std::string address;    ///< textual IP; a path beginning '/' is a Unix socket (0600)
    std::uint16_t port = 0; ///< 0: a free one
    int handed_over = -1;   ///< a listening TCP socket that somebody opened for us; -1: none
    std::shared_ptr<const std::atomic<bool>> any_host;  ///< while it is true, `hosts` does not count; null: it always does
    std::vector<std::string> hosts;  ///< the names it answers for, as Request::host has them; empty: any. Others get 421
};

class Server {
public:
    struct Deps {
        core::Shards& shards;
        core::Random& random;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    Server(const Deps& deps, ServerLimits limits);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds and listens; connections wait in the backlog until start(). `tls` null: plain.
    /// `router` must outlive the server. Returns the bound port. Throws std::runtime_error that
    /// names the address ("https: cannot listen on 0.0.0.0:8443: address in use").
    std::uint16_t listen(const Endpoint& endpoint, const Router& router, std::shared_ptr<TlsContext> tls);
    /// Begins to accept on all listeners added so far and later.
    void start();
    /// For connections that come from now on; open ones keep theirs. Thread safe.
    void set_limits(const ServerLimits& limits);
    /// Stops accepting, lets requests in flight end (idle connections are closed), then cancels
    /// what is left at `at`. Answers sent meanwhile carry "Connection: close".
    core::Task<void> stop(core::Deadline at);
    [[nodiscard]] std::size_t connections() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::http
