#include "bench/http01_responder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace postern::bench {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr std::string_view well_known = "/.well-known/acme-challenge/";
constexpr std::size_t request_limit = 8 * 1024;

std::string page(std::string_view status, std::string_view body) {
    std::string out = "HTTP/1.1 ";
    out.append(status).append("\r\nContent-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: ");
    out.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return out;
}
}  // namespace

Http01Responder::Http01Responder(asio::io_context& context, std::uint16_t port)
    : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
      port_(acceptor_.local_endpoint().port()) {
    asio::co_spawn(context, accept_all(), asio::detached);
}

core::Task<void> Http01Responder::accept_all() {
    for (;;) {
        boost::system::error_code error;
        auto done = asio::redirect_error(asio::use_awaitable, error);
        tcp::socket socket = co_await acceptor_.async_accept(done);
        if (error == asio::error::operation_aborted) co_return;
        if (!error) asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
}

core::Task<void> Http01Responder::serve(tcp::socket socket) {
    boost::system::error_code error;
    auto done = asio::redirect_error(asio::use_awaitable, error);
    std::string request;
    auto buffer = asio::dynamic_buffer(request, request_limit);
    co_await asio::async_read_until(socket, buffer, "\r\n\r\n", done);
    if (error) co_return;
    const std::string reply = answer(std::string_view(request).substr(0, request.find("\r\n")));
    const auto out = asio::buffer(reply);
    co_await asio::async_write(socket, out, done);
    socket.shutdown(tcp::socket::shutdown_both, error);
}

std::string Http01Responder::answer(std::string_view request_line) const {
    const auto path = request_line.find(well_known);
    if (!request_line.starts_with("GET ") || path == std::string_view::npos) return page("404 Not Found", "");
    const auto token = request_line.substr(path + well_known.size());
    const auto found = answers_.find(std::string(token.substr(0, token.find(' '))));
    return found == answers_.end() ? page("404 Not Found", "") : page("200 OK", found->second);
}

}  // namespace postern::bench
