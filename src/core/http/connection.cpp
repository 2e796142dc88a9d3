#include "core/http/connection.hpp"

namespace postern::http {
namespace {

/// How long the timer sleeps at most: nearly all deadlines are farther away, so that requests never
/// touch it, and 10,000 idle connections cost 2,000 looks a second.
constexpr std::chrono::seconds longest_sleep(5);

}  // namespace

Connection::Connection(boost::asio::io_context& context, Fd fd)
    : socket_(context.get_executor(), std::move(fd)), timer_(context) {}

void Connection::enter(Phase phase, core::Deadline until) {
    phase_ = phase;
    deadline_ = until;
    timed_out_ = false;
    if (until < armed_) arm();
}

void Connection::arm() {
    armed_ = core::earlier(deadline_, std::chrono::steady_clock::now() + longest_sleep);
    timer_.expires_at(armed_);
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (!error && !self->finished_) self->look();
    });
}

void Connection::look() {
    if (std::chrono::steady_clock::now() < deadline_) return arm();
    armed_ = core::Deadline::max();
    timed_out_ = true;
    if (phase_ == Phase::head || phase_ == Phase::body) {
        socket_.cancel();
    } else {
        socket_.close();
    }
}

void Connection::stop_if_idle() noexcept {
    if (phase_ == Phase::idle || phase_ == Phase::closing) socket_.cancel();
}

bool Connection::give_way() noexcept {
    const bool waits = phase_ == Phase::idle || phase_ == Phase::handshake || phase_ == Phase::head || phase_ == Phase::body;
    if (!waits || gave_way_) return false;
    gave_way_ = true;
    socket_.close();
    return true;
}

void Connection::finish() noexcept {
    finished_ = true;
    socket_.close();
    timer_.cancel();
}

}  // namespace postern::http
