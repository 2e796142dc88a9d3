#include "core/http/stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace postern::http {
namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

ErrorCode last_system_error() noexcept {
    return ErrorCode(errno, boost::system::system_category());
}

Fd& Fd::operator=(Fd&& other) noexcept {
    const Fd old(std::exchange(fd_, other.release()));
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Socket::Socket(const core::Executor& executor, Fd fd) : descriptor_(executor) {
    descriptor_.assign(fd.get());
    fd.release();
}

core::Task<ErrorCode> Socket::wait_readable() {
    ErrorCode error;
    co_await descriptor_.async_wait(Descriptor::wait_read, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

core::Task<ErrorCode> Socket::wait_writable() {
    ErrorCode error;
    co_await descriptor_.async_wait(Descriptor::wait_write, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
}

std::size_t Socket::receive(std::span<char> into, ErrorCode& error) noexcept {
    for (;;) {
        const ssize_t n = ::recv(descriptor_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        error = n < 0 ? last_system_error() : n == 0 ? ErrorCode(asio::error::eof) : ErrorCode();
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
}

std::size_t Socket::discard(ErrorCode& error) noexcept {
    std::array<char, 16 * 1024> sink;
    return receive(sink, error);
}

std::size_t Socket::send(std::string_view data, ErrorCode& error) noexcept {
    for (;;) {
        const ssize_t n = ::send(descriptor_.native_handle(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        error = n < 0 ? last_system_error() : ErrorCode();
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
}

core::Task<ErrorCode> Socket::write(std::string_view data) {
    ErrorCode error;
    while (!data.empty()) {
        data.remove_prefix(send(data, error));
        if (error == asio::error::would_block) error = co_await wait_writable();
        if (error) break;
    }
    co_return error;
}

void Socket::cancel() noexcept {
    ErrorCode ignored;
    descriptor_.cancel(ignored);
}

void Socket::close() noexcept {
    ErrorCode ignored;
    descriptor_.close(ignored);
}

void Socket::shutdown_send() noexcept {
    if (descriptor_.is_open()) ::shutdown(descriptor_.native_handle(), SHUT_WR);
}

namespace {

class PlainStream final : public Stream {
public:
    explicit PlainStream(Socket& socket) : socket_(socket) {}

    core::Task<Received> read_some(std::span<char> into) override {
        Received got;
        for (;;) {
            // After a short read the socket is empty: the next look at it would be in vain.
            if (!drained_) {
                got.bytes = socket_.receive(into, got.error);
                drained_ = got.bytes > 0 && got.bytes < into.size();
                if (got.error != asio::error::would_block) co_return got;
            }
            drained_ = false;
            got.error = co_await socket_.wait_readable();
            if (got.error) co_return got;
        }
    }
    core::Task<ErrorCode> write(std::string_view data) override { return socket_.write(data); }
    core::Task<void> shutdown() override {
        socket_.shutdown_send();
        co_return;
    }

private:
    Socket& socket_;
    bool drained_ = false;
};

}  // namespace

std::unique_ptr<Stream> plain_stream(Socket& socket) {
    return std::make_unique<PlainStream>(socket);
}

}  // namespace postern::http
