#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/async/task.hpp"

namespace postern::core {

/// Runs `task` on another executor and resumes on the caller's. What was taken runs to its end and
/// is awaited, also by a caller that is cancelled meanwhile: Asio 1.81 would deliver the caller's
/// cancellation on the other executor's thread, beside the work, and may throw it out of its own
/// entry point, which ends the process. So the task must bound itself by a deadline.
/// T must be default constructible or void.
template <class T, class Where>
Task<T> run_on(Where&& where, Task<T> task) {
    namespace asio = boost::asio;
    return asio::co_spawn(where, std::move(task),
                          asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

}  // namespace postern::core
