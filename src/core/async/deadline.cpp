#include "core/async/deadline.hpp"

#include <boost/asio/as_tuple.hpp>

namespace postern::core {
namespace {

Task<bool> then_true(Task<void> op) {
    co_await std::move(op);
    co_return true;
}

}  // namespace

Task<bool> with_deadline(Deadline at, Task<void> op) {
    auto finished = co_await with_deadline<bool>(at, then_true(std::move(op)));
    co_return finished.has_value();
}

Task<void> sleep_until(Deadline at) {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, at);
    // A tuple instead of an exception: a cancelled sleep is an ordinary end.
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

Task<void> sleep_for(std::chrono::milliseconds d) {
    co_await sleep_until(deadline_in(d));
}

}  // namespace postern::core
