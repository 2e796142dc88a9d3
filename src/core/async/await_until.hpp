#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <optional>

#include "core/async/task_group.hpp"
#include "core/base/unavailable.hpp"

namespace postern::core {

namespace outliving {

/// Shared by the work and who waits for it; both run on one executor.
template <class T>
struct Course {
    Course(const Executor& executor, Deadline until) : ended(executor, until) {}
    boost::asio::steady_timer ended;
    std::optional<T> outcome;
    std::exception_ptr failure;
};

template <class T>
Task<void> carry_out(Task<T> work, std::shared_ptr<Course<T>> course) {
    try {
        course->outcome = co_await std::move(work);
    } catch (...) {
        course->failure = std::current_exception();
    }
    course->ended.cancel();
    // Nobody waits any more: the group's log is where the fault is told.
    if (course->failure && course.use_count() == 1) std::rethrow_exception(course->failure);
}

}  // namespace outliving

/// Runs `work` as a task of the group, and waits for it until `at`. nullopt: it is still being worked on, and goes on
/// without the caller, so what it refers to must outlive the group. A fault comes back as it was thrown.
template <class T>
Task<std::optional<T>> await_until(TaskGroup& tasks, Deadline at, Task<T> work) {
    const Executor executor = co_await boost::asio::this_coro::executor;
    const auto course = std::make_shared<outliving::Course<T>>(executor, at);
    auto task = outliving::carry_out(std::move(work), course);
    if (!tasks.spawn(executor, std::move(task))) throw Unavailable("the server is stopping");
    co_await course->ended.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (course->failure) std::rethrow_exception(course->failure);
    co_return std::move(course->outcome);
}

}  // namespace postern::core
