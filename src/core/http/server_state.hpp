#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "core/async/task_group.hpp"
#include "core/http/connection.hpp"
#include "core/http/server.hpp"

/// What the acceptors and sessions of one server share. For core/http only.
namespace postern::http {

struct Listener {
    Listener(Endpoint e, const Router& r, std::shared_ptr<TlsContext> t, observe::Gauge g, observe::Counter f)
        : endpoint(std::move(e)), router(r), tls(std::move(t)), open(g), unshaken(f) {}
    Endpoint endpoint;
    const Router& router;
    std::shared_ptr<TlsContext> tls;
    observe::Gauge open;        ///< postern_http_connections
    observe::Counter unshaken;  ///< postern_tls_handshakes_failed_total
    std::unique_ptr<Socket> socket;
};

/// Touched by its shard's thread only, hence without locks.
class ShardState {
public:
    ShardState(boost::asio::io_context& c, observe::Metrics& m) : context(c), metrics_(m) {}

    boost::asio::io_context& context;
    std::list<Connection*> strangers;    ///< not served yet, the oldest first
    std::list<Connection*> connections;  ///< the others, the one served longest ago first

    /// Closes the first of those lists that we wait for, strangers before the others. False when all
    /// are being served.
    bool make_room();

    /// `pattern` must stay where it is: the router's own text is the key.
    void count(const Listener& listener, std::string_view pattern, unsigned status, double seconds);
    /// IMF-fixdate of now, made once a second (RFC 9110 §5.6.7).
    std::string_view date();

private:
    observe::Metrics& metrics_;
    std::map<std::tuple<const Listener*, const char*, unsigned>, observe::Counter> requests_;
    std::map<const char*, observe::Histogram> durations_;
    std::time_t date_second_ = 0;
    std::string date_;
};

struct ServerState {
    ServerState(const Server::Deps& d, ServerLimits l);

    /// What a connection that begins now lives under. Any thread.
    [[nodiscard]] std::shared_ptr<const ServerLimits> limits() const {
        const std::lock_guard lock(limits_mutex);
        return current_limits;
    }
    void set_limits(ServerLimits limits);

    Server::Deps deps;
    mutable std::mutex limits_mutex;  ///< guards the pointer; never held across a suspension
    std::shared_ptr<const ServerLimits> current_limits;
    std::atomic<std::size_t> most_connections;
    std::vector<std::unique_ptr<ShardState>> shards;
    std::vector<std::unique_ptr<Listener>> listeners;
    Fd reserve;  ///< given up for a moment to turn somebody away when no other descriptor is left
    observe::Counter evicted, turned_away;
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> next_shard{0};
    std::atomic<bool> stopping{false};
    core::TaskGroup acceptors;
    core::TaskGroup sessions;
};

/// One of the connections that the limit allows, given back when its session's frame ends: also when
/// it never ran.
class ConnectionPlace {
public:
    /// So many may be there beyond the limit while those that give way to them go.
    static constexpr std::size_t overlap = 128;

    /// Empty when the server is full.
    explicit ConnectionPlace(std::shared_ptr<ServerState> server) {
        const auto before = server->connections.fetch_add(1);
        const auto most = server->most_connections.load();
        if (before < most + overlap) {
            over_ = before >= most;
            server_ = std::move(server);
        } else {
            server->connections.fetch_sub(1);
        }
    }
    ConnectionPlace(ConnectionPlace&&) noexcept = default;
    ConnectionPlace& operator=(ConnectionPlace&&) = delete;
    ~ConnectionPlace() {
        if (server_) server_->connections.fetch_sub(1);
    }
    explicit operator bool() const noexcept { return server_ != nullptr; }
    /// Beyond the limit: somebody has to give way.
    [[nodiscard]] bool over() const noexcept { return over_; }

private:
    std::shared_ptr<ServerState> server_;
    bool over_ = false;
};

Fd spare_descriptor();

/// Binds and listens as the endpoint says. Throws std::runtime_error that names it.
Fd open_listener(const Endpoint& endpoint, std::uint16_t& bound_port);

/// Takes what comes in and hands it to the shards, until cancelled.
core::Task<void> accept_loop(std::shared_ptr<ServerState> server, const Listener& listener);

/// Serves one connection to its end. Runs on the shard.
core::Task<void> serve(std::shared_ptr<ServerState> server, const Listener& listener, ShardState& shard, Fd fd,
                       Peer peer, ConnectionPlace place);

}  // namespace postern::http
