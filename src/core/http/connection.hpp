#pragma once
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/wait_traits.hpp>
#include <memory>

#include "core/async/task.hpp"
#include "core/http/stream.hpp"

namespace postern::http {

/// What a connection is doing; decides what an expired deadline or a stop does to it.
enum class Phase { idle, handshake, head, body, handling, writing, closing };

/// A server's side of one connection: its socket and the one timer that watches its deadlines.
/// Lives on its shard. For core/http only.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(boost::asio::io_context& context, Fd fd);

    [[nodiscard]] Socket& socket() noexcept { return socket_; }

    /// Moving the deadline is an assignment: the timer wakes at least every few seconds, looks, and
    /// is armed anew; it is only touched for a deadline before its next look.
    void enter(Phase phase, core::Deadline until);
    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    /// The deadline of the phase passed. In head and body the wait was ended and the socket still
    /// works, so that a 408 can be sent; in all others the socket was closed.
    [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

    /// For a graceful stop: ends the wait of a connection that has no request.
    void stop_if_idle() noexcept;
    /// For a server that is full: closes a connection that waits for its peer. False for one that is
    /// being served, or gave way already.
    bool give_way() noexcept;
    /// Ends whatever the connection waits for. A handler goes on until it returns.
    void abort() noexcept { socket_.close(); }
    /// The session is over: closes, and lets the timer go.
    void finish() noexcept;

private:
    using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                                    boost::asio::io_context::executor_type>;
    void arm();
    void look();

    Socket socket_;
    Timer timer_;
    core::Deadline deadline_{};
    core::Deadline armed_ = core::Deadline::max();
    Phase phase_ = Phase::idle;
    bool timed_out_ = false;
    bool gave_way_ = false;
    bool finished_ = false;
};

}  // namespace postern::http
