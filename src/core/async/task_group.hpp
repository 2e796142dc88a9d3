#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "core/async/task.hpp"

namespace postern::core {

/// Everything that is spawned belongs to a group, so that a stop can wait for it. Thread safe.
/// Tasks may run on different executors, each of which must run one thing at a time (a shard).
/// An exception that escapes a task goes to `on_fault`, except the one of its own cancellation.
class TaskGroup {
public:
    using OnFault = std::function<void(std::string_view what)>;
    explicit TaskGroup(OnFault on_fault);
    /// Closes; tasks that still run keep what the group shares with them alive.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// False, and `task` is dropped unstarted, once close() was called.
    bool spawn(const Executor& executor, Task<void> task);
    /// No new tasks; running ones go on.
    void close() noexcept;
    /// Asks every running task to stop at its next suspension (terminal cancellation).
    void cancel();
    /// Waits until no task is left or `at`; true when empty. Not for a task of this group.
    Task<bool> drained(Deadline at);
    [[nodiscard]] std::size_t size() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace postern::core
