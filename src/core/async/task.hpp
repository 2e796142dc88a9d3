#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/base/time.hpp"

namespace postern::core {

/// The one coroutine type. GCC 12: await named operands only (CONTRIBUTING, "Coroutines").
template <class T = void>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

/// When the work of a request must have ended; inherited by everything it awaits.
using Deadline = SteadyPoint;
inline Deadline deadline_in(std::chrono::milliseconds d) { return std::chrono::steady_clock::now() + d; }
inline Deadline earlier(Deadline a, Deadline b) { return a < b ? a : b; }

}  // namespace postern::core
