#pragma once
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/async/task.hpp"

/// Connected byte streams: TCP and Unix sockets, plain or under TLS. For core/http only.
namespace postern::http {

using ErrorCode = boost::system::error_code;

/// A file descriptor that is closed once.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// A connected, non-blocking socket that belongs to one executor. Plain system calls, and Asio only
/// to wait: one type for TCP and Unix, and an idle connection holds no buffer.
class Socket {
public:
    Socket(const core::Executor& executor, Fd fd);

    core::Task<ErrorCode> wait_readable();
    core::Task<ErrorCode> wait_writable();
    /// What is there now: octets, or would_block, eof, or a failure.
    std::size_t receive(std::span<char> into, ErrorCode& error) noexcept;
    /// Takes what is there and forgets it.
    std::size_t discard(ErrorCode& error) noexcept;
    std::size_t send(std::string_view data, ErrorCode& error) noexcept;
    core::Task<ErrorCode> write(std::string_view data);

    /// Wakes whoever waits with operation_aborted; the socket stays usable.
    void cancel() noexcept;
    void close() noexcept;
    void shutdown_send() noexcept;
    [[nodiscard]] int native() noexcept { return descriptor_.native_handle(); }

private:
    boost::asio::posix::stream_descriptor descriptor_;
};

struct Received {
    Received() noexcept = default;
    Received(std::size_t n, ErrorCode e) noexcept : bytes(n), error(e) {}
    std::size_t bytes = 0;
    ErrorCode error;  ///< asio::error::eof at the peer's orderly end
};

class Stream {
public:
    virtual ~Stream() = default;
    virtual core::Task<Received> read_some(std::span<char> into) = 0;
    /// All of it.
    virtual core::Task<ErrorCode> write(std::string_view data) = 0;
    /// Says that nothing more will be sent; does not wait for the peer.
    virtual core::Task<void> shutdown() = 0;
};

/// `socket` must outlive the stream.
std::unique_ptr<Stream> plain_stream(Socket& socket);

ErrorCode last_system_error() noexcept;

}  // namespace postern::http
