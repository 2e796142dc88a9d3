#pragma once
#include <cstddef>
#include <functional>

#include "core/async/task_group.hpp"

namespace postern::core {

/// Awaits `each(0)` … `each(count - 1)`, at most `at_once` at a time, as tasks of `group` on the
/// caller's executor; returns when all have ended. One that throws does not keep the others from
/// running; the first exception is thrown again at the end. A caller that is cancelled leaves at
/// once: what `each` refers to must live as long as the group's tasks. A group that is closed runs none.
/// `each` itself must be no coroutine: it calls one.
Task<void> run_crew(TaskGroup& group, std::size_t count, std::size_t at_once, std::function<Task<void>(std::size_t)> each);

}  // namespace postern::core
