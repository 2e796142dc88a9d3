#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/async/task.hpp"

namespace postern::bench {

/// Answers http-01 probes (RFC 8555 §8.3) on 127.0.0.1 with as little work as possible, since its
/// time is the generator's. One thread: that of `context`.
class Http01Responder {
public:
    /// Port 0 takes a free one. Throws boost::system::system_error when the port is taken.
    Http01Responder(boost::asio::io_context& context, std::uint16_t port);
    Http01Responder(const Http01Responder&) = delete;
    Http01Responder& operator=(const Http01Responder&) = delete;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// What a probe for the token gets, for good: a server that lost an answer may probe again late.
    void offer(std::string token, std::string key_authorization) {
        answers_.insert_or_assign(std::move(token), std::move(key_authorization));
    }

private:
    core::Task<void> accept_all();
    core::Task<void> serve(boost::asio::ip::tcp::socket socket);
    [[nodiscard]] std::string answer(std::string_view request_line) const;

    boost::asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::unordered_map<std::string, std::string> answers_;
};

}  // namespace postern::bench
