#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string_view>

#include "core/async/task.hpp"

namespace postern::core {

/// Everything that is spawned belongs to a group, so that a stop can wait for it. Thread safe.
/// Tasks may run on different executors; an exception that escapes one goes to `on_fault`.
class TaskGroup {
public:
    using OnFault = std::function<void(std::string_view what)>;
    explicit TaskGroup(OnFault on_fault);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// False, and `task` is dropped unstarted, once close() was called.
    bool spawn(const Executor& executor, Task<void> task);
    /// No new tasks; running ones go on.
    void close() noexcept;
    /// Asks every running task to stop at its next suspension (terminal cancellation).
    void cancel();
    /// Waits until no task is left or `at`; true when empty.
    Task<bool> drained(Deadline at);
    [[nodiscard]] std::size_t size() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace postern::core
