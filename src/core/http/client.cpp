#include "core/http/client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>

#include "core/async/deadline.hpp"
#include "core/http/input_buffer.hpp"
#include "core/http/response_reader.hpp"
#include "core/http/text.hpp"
#include "core/http/tls_stream.hpp"

namespace postern::http {
namespace asio = boost::asio;

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr std::size_t read_bytes = 16 * 1024;

/// Says nothing about the peer: we have no descriptor, port or memory for a connection.
bool is_our_own(const ErrorCode& error) {
    switch (error.value()) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL:
        case EAGAIN: return error.category() == boost::system::system_category();
        default: return false;
    }
}

Problem connection_problem(const ErrorCode& error) {
    if (is_our_own(error))
        return Problem(ProblemKind::unavailable, "this server cannot open a connection at the moment: " + error.message());
    std::string why = error.message();
    if (error == asio::error::connection_refused) why = "connection refused";
    if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
        why = "the server broke off the connection";
    if (error == asio::error::timed_out) why = "timed out while connecting";
    if (error == asio::error::network_unreachable || error == asio::error::host_unreachable)
        why = "there is no route to the server";
    return Problem(ProblemKind::connection, why);
}

bool is_path(const std::string& address) { return address.starts_with('/'); }

std::string host_header(const Target& target) {
    if (!target.host.empty()) return target.host;
    if (is_path(target.address)) return target.server_name.empty() ? "localhost" : target.server_name;
    std::string host = target.server_name.empty() ? target.address : target.server_name;
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    const std::uint16_t usual = target.tls ? 443 : 80;
    return target.port == usual ? host : host + ":" + std::to_string(target.port);
}

/// Begins to connect; the outcome shows when the socket is writable.
Result<Fd> begin_connect(const Target& target) {
    const bool local = is_path(target.address);
    sockaddr_un path{};
    asio::ip::tcp::endpoint where;
    const sockaddr* name = reinterpret_cast<const sockaddr*>(&path);
    socklen_t size = sizeof path;
    if (local) {
        path.sun_family = AF_UNIX;
        if (target.address.size() >= sizeof path.sun_path)
            return Problem(ProblemKind::connection, "the path is too long for a socket");
        target.address.copy(path.sun_path, sizeof path.sun_path - 1);
    } else {
        ErrorCode bad;
        where = asio::ip::tcp::endpoint(asio::ip::make_address(target.address, bad), target.port);
        if (bad) return Problem(ProblemKind::connection, target.address + " is no IP address");
        name = where.data();
        size = static_cast<socklen_t>(where.size());
    }
    Fd fd(::socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return connection_problem(last_system_error());
    const int on = 1;
    if (!local) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), name, size) != 0 && errno != EINPROGRESS && errno != EINTR) {
        // Of IPv4 it means that the ports are used up; a host whose IPv6 is switched off says it of every IPv6 address, for good.
        if (errno == EADDRNOTAVAIL && name->sa_family == AF_INET6)
            return Problem(ProblemKind::connection, "this server has no IPv6 address to connect from");
        return connection_problem(last_system_error());
    }
    return fd;
}

class Connected final : public ClientConnection {
public:
    Connected(const core::Executor& executor, Fd fd, const ClientLimits& limits, std::string host)
        : socket_(executor, std::move(fd)), limits_(limits), host_(std::move(host)) {}

    /// Waits for the outcome of connect(2).
    core::Task<Result<void>> arrive() {
        ErrorCode error = co_await socket_.wait_writable();
        if (!error) {
            int outcome = 0;
            socklen_t size = sizeof outcome;
            ::getsockopt(socket_.native(), SOL_SOCKET, SO_ERROR, &outcome, &size);
            error = ErrorCode(outcome, boost::system::system_category());
        }
        if (error) co_return connection_problem(error);
        stream_ = plain_stream(socket_);
        co_return Result<void>();
    }

    core::Task<Result<void>> secure(const Target& target) {
        auto made = tls_client_stream(socket_, target);
        if (!made) co_return made.error();
        std::unique_ptr<TlsStream> tls = std::move(*made);
        const bool shaken = co_await tls->handshake();
        if (!shaken) co_return Problem(ProblemKind::tls, tls->reason());
        peer_certificate_ = tls->peer_certificate();
        alpn_ = tls->alpn();
        stream_ = std::move(tls);
        co_return Result<void>();
    }

    core::Task<Result<Response>> exchange(const Request& request, core::Deadline deadline) override {
        reusable_ = false;
        auto talking = talk(request);
        auto done = co_await core::with_deadline<Result<Response>>(deadline, std::move(talking));
        if (!done) co_return Problem(ProblemKind::connection, "timed out after connecting: no complete answer came in time");
        co_return std::move(*done);
    }

    [[nodiscard]] bool reusable() const noexcept override { return reusable_; }
    [[nodiscard]] core::Bytes peer_certificate() const override { return peer_certificate_; }
    [[nodiscard]] std::string alpn() const override { return alpn_; }

private:
    core::Task<Result<Response>> talk(const Request& request) {
        const auto message = serialise(request);
        if (!message) co_return message.error();
        // A server that refuses early answers and closes while we still send: its answer counts.
        const ErrorCode sent = co_await stream_->write(*message);
        ResponseReader reader(limits_, request.method);
        for (;;) {
            const Received got = co_await stream_->read_some(in_.room(read_bytes));
            if (got.error && got.error != asio::error::eof) co_return connection_problem(sent ? sent : got.error);
            in_.filled(got.bytes);
            std::size_t used = 0;
            auto state = got.error ? reader.at_end() : reader.feed(in_.view(), used);
            in_.consume(used);
            if (!state) co_return state.error();
            if (*state != ResponseReader::State::done) continue;
            reusable_ = !sent && reader.keeps() && in_.empty();
            co_return reader.take();
        }
    }

    Result<std::string> serialise(const Request& request) const {
        const std::string& target = request.target.empty() ? request.path : request.target;
        std::string out(to_string(request.method));
        out.append(" ").append(target.empty() ? "/" : target).append(" HTTP/1.1\r\nHost: ").append(host_).append("\r\n");
        bool clean = text::is_field_value(target) && target.find(' ') == target.npos && text::is_field_value(host_);
        for (const auto& [name, value] : request.headers) {
            clean = clean && text::is_token(name) && text::is_field_value(value);
            out.append(name).append(": ").append(value).append("\r\n");
        }
        if (!clean) return Problem(ProblemKind::malformed, "the request has characters that HTTP cannot carry");
        const bool usual_body = request.method != Method::get && request.method != Method::head;
        if (usual_body || !request.body.empty())
            out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
        out.append("\r\n").append(request.body);
        return out;
    }

    Socket socket_;
    ClientLimits limits_;
    std::string host_;
    std::unique_ptr<Stream> stream_;
    InputBuffer in_;
    core::Bytes peer_certificate_;
    std::string alpn_;
    bool reusable_ = true;
};

/// The request is held by pointer: GCC 12 warns of the frame's deallocation when it is a parameter.
core::Task<Result<Response>> fetch_once(Target target, std::unique_ptr<const Request> request, ClientLimits limits,
                                        core::Deadline deadline) {
    auto connection = co_await ClientConnection::connect(std::move(target), limits, deadline);
    if (!connection) co_return connection.error();
    auto response = co_await (*connection)->exchange(*request, deadline);
    co_return response;
}

}  // namespace

core::Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::connect(Target target, ClientLimits limits,
                                                                                core::Deadline deadline) {
    const core::Executor executor = co_await asio::this_coro::executor;
    auto fd = begin_connect(target);
    if (!fd) co_return fd.error();
    auto connection = std::make_unique<Connected>(executor, std::move(*fd), limits, host_header(target));
    const auto connected_by = core::earlier(deadline, core::deadline_in(limits.connect));
    auto arrival = connection->arrive();
    auto arrived = co_await core::with_deadline<Result<void>>(connected_by, std::move(arrival));
    if (!arrived) co_return Problem(ProblemKind::connection, "timed out while connecting");
    if (!*arrived) co_return arrived->error();
    if (target.tls) {
        auto handshake = connection->secure(target);
        auto secured = co_await core::with_deadline<Result<void>>(deadline, std::move(handshake));
        if (!secured) co_return Problem(ProblemKind::connection, "timed out after connecting: no TLS handshake");
        if (!*secured) co_return secured->error();
    }
    co_return std::move(connection);
}

core::Task<Result<Response>> fetch(Target target, Request request, ClientLimits limits, core::Deadline deadline) {
    request.headers.emplace_back("Connection", "close");
    auto kept = std::make_unique<const Request>(std::move(request));
    return fetch_once(std::move(target), std::move(kept), limits, deadline);
}

}  // namespace postern::http
