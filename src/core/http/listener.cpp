#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "core/async/deadline.hpp"
#include "core/http/server_state.hpp"

namespace postern::http {
namespace asio = boost::asio;

namespace {

using std::chrono::milliseconds;

constexpr int backlog = 4096;
constexpr milliseconds pause_when_out_of_files(100);
/// Connections taken before other work of the shard gets its turn.
constexpr int burst = 64;

std::string shown(const Endpoint& e) {
    if (e.address.starts_with('/')) return e.address;
    const bool v6 = e.address.find(':') != std::string::npos;
    return (v6 ? "[" + e.address + "]" : e.address) + ":" + std::to_string(e.port);
}

[[noreturn]] void cannot_listen(const Endpoint& endpoint, const std::string& why) {
    throw std::runtime_error(endpoint.name + ": cannot listen on " + shown(endpoint) + ": " + why);
}

[[noreturn]] void cannot_listen(const Endpoint& endpoint) {
    const int error = errno;
    if (error == EADDRINUSE) cannot_listen(endpoint, "address in use");
    if (error == EACCES) cannot_listen(endpoint, "permission denied");
    cannot_listen(endpoint, std::strerror(error));
}

void set_on(const Endpoint& endpoint, const Fd& fd, int level, int option, int value) {
    if (::setsockopt(fd.get(), level, option, &value, sizeof value) != 0) cannot_listen(endpoint);
}

Fd open_tcp(const Endpoint& endpoint, std::uint16_t& bound_port) {
    ErrorCode bad;
    const auto address = asio::ip::make_address(endpoint.address, bad);
    if (bad) cannot_listen(endpoint, "the address is neither an IP address nor an absolute path");
    asio::ip::tcp::endpoint where(address, endpoint.port);
    Fd fd(::socket(where.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) cannot_listen(endpoint);
    set_on(endpoint, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    // Linux hands this on to the accepted sockets.
    set_on(endpoint, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // [::] serves both families, whatever the system's default is.
    if (address.is_v6()) set_on(endpoint, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(fd.get(), where.data(), static_cast<socklen_t>(where.size())) != 0 || ::listen(fd.get(), backlog) != 0)
        cannot_listen(endpoint);
    auto size = static_cast<socklen_t>(where.capacity());
    if (::getsockname(fd.get(), where.data(), &size) != 0) cannot_listen(endpoint);
    where.resize(size);
    bound_port = where.port();
    return fd;
}

/// Opened by a service manager on the same address and port; the flags are ours to set.
Fd adopt_tcp(const Endpoint& endpoint, std::uint16_t& bound_port) {
    Fd fd(endpoint.handed_over);
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) cannot_listen(endpoint);
    set_on(endpoint, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    bound_port = endpoint.port;
    return fd;
}

Fd unix_socket(const Endpoint& endpoint) {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) cannot_listen(endpoint);
    return fd;
}

/// Removes the socket that a dead process left; one that still answers is somebody's.
void remove_stale(const Endpoint& endpoint, const sockaddr_un& name) {
    struct stat found{};
    if (::lstat(endpoint.address.c_str(), &found) != 0) return;
    if (!S_ISSOCK(found.st_mode)) cannot_listen(endpoint, "there is a file of that name that is no socket");
    const Fd probe = unix_socket(endpoint);
    const int outcome = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name);
    if (outcome == 0 || errno != ECONNREFUSED) cannot_listen(endpoint, "address in use");
    ::unlink(endpoint.address.c_str());
}

Fd open_unix(const Endpoint& endpoint) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (endpoint.address.size() >= sizeof name.sun_path) cannot_listen(endpoint, "the path is too long for a socket");
    endpoint.address.copy(name.sun_path, sizeof name.sun_path - 1);
    remove_stale(endpoint, name);
    Fd fd = unix_socket(endpoint);
    // The mode is set before listen(): until then nobody can connect.
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::chmod(endpoint.address.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(fd.get(), backlog) != 0)
        cannot_listen(endpoint);
    return fd;
}

Peer unix_peer(int fd) {
    Peer peer;
    peer.address = "local";
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) peer.unix_uid = who.uid;
    return peer;
}

Peer tcp_peer(const asio::ip::tcp::endpoint& from) {
    Peer peer;
    peer.port = from.port();
    auto address = from.address();
    // A dual-stack listener shows IPv4 peers as ::ffff:a.b.c.d; limits and logs know them by one name.
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    peer.address = address.to_string();
    return peer;
}

enum class Accepted { one, none, out_of_files };

Accepted accept_one(const std::shared_ptr<ServerState>& server, const Listener& listener) {
    asio::ip::tcp::endpoint from;
    const bool local = listener.endpoint.address.starts_with('/');
    auto size = static_cast<socklen_t>(from.capacity());
    Fd fd(::accept4(listener.socket->native(), local ? nullptr : from.data(), local ? nullptr : &size,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
        if (errno == EAGAIN) return Accepted::none;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Accepted::out_of_files;
        return Accepted::one;  // that connection died on its way; the next may live
    }
    ConnectionPlace place(server);
    if (!place) {
        server->turned_away.add();
        return Accepted::one;
    }
    if (!local) from.resize(size);
    Peer peer = local ? unix_peer(fd.get()) : tcp_peer(from);
    ShardState& shard = *server->shards[server->next_shard.fetch_add(1) % server->shards.size()];
    auto session = serve(server, listener, shard, std::move(fd), std::move(peer), std::move(place));
    server->sessions.spawn(shard.context.get_executor(), std::move(session));
    return Accepted::one;
}

/// Closes those who wait in the backlog, with the one descriptor that was kept for it. All acceptors
/// share a thread.
void turn_away(ServerState& server, const Listener& listener) {
    server.reserve = Fd();
    for (int i = 0; i < burst; ++i) {
        const Fd fd(::accept4(listener.socket->native(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid()) break;
        server.turned_away.add();
    }
    server.reserve = spare_descriptor();
}

}  // namespace

Fd spare_descriptor() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

Fd open_listener(const Endpoint& endpoint, std::uint16_t& bound_port) {
    if (endpoint.handed_over >= 0) return adopt_tcp(endpoint, bound_port);
    return endpoint.address.starts_with('/') ? open_unix(endpoint) : open_tcp(endpoint, bound_port);
}

core::Task<void> accept_loop(std::shared_ptr<ServerState> server, const Listener& listener) {
    auto& log = server->deps.log;
    std::optional<core::Deadline> shed_at;  // while accepting pauses
    for (;;) {
        const ErrorCode woken = co_await listener.socket->wait_readable();
        if (woken) co_return;
        Accepted last = Accepted::one;
        for (int i = 0; i < burst && last == Accepted::one; ++i) last = accept_one(server, listener);
        if (last != Accepted::out_of_files) {
            if (shed_at) log.info("accept_resumed", {{"listener", listener.endpoint.name}});
            shed_at.reset();
            continue;
        }
        // Who comes now waits in the backlog, but not for longer than a connection may say nothing.
        if (!shed_at) {
            log.warning("accept_paused", {{"listener", listener.endpoint.name},
                                          {"reason", "the process has no file descriptor left"}});
            shed_at = core::deadline_in(server->limits()->head);
        } else if (std::chrono::steady_clock::now() >= *shed_at) {
            turn_away(*server, listener);
        }
        co_await core::sleep_for(pause_when_out_of_files);
    }
}

}  // namespace postern::http
