#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>

#include "core/async/task.hpp"

namespace postern::core {

/// Runs `op` until `at`. nullopt: the timer came first; the operation was cancelled and awaited.
/// An exception of `op` goes on to the caller. T must be default constructible (Asio 1.81).
template <class T>
Task<std::optional<T>> with_deadline(Deadline at, Task<T> op) {
    namespace asio = boost::asio;
    namespace x = boost::asio::experimental;
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, at);
    auto race = x::make_parallel_group(asio::co_spawn(executor, std::move(op), asio::deferred),
                                       timer.async_wait(asio::deferred))
                    .async_wait(x::wait_for_one(), asio::use_awaitable);
    auto done = co_await std::move(race);
    auto& [order, failure, value, timer_error] = done;
    if (order[0] == 1) co_return std::nullopt;
    if (failure) std::rethrow_exception(failure);
    co_return std::optional<T>(std::move(value));
}

/// The same for an operation without a value; false: the timer came first.
Task<bool> with_deadline(Deadline at, Task<void> op);

/// Suspends until `at`; returns early, without a throw, when cancelled.
Task<void> sleep_until(Deadline at);
Task<void> sleep_for(std::chrono::milliseconds d);

}  // namespace postern::core
