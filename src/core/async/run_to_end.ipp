#pragma once
#include <optional>

namespace postern::core {

/// `value` stays empty where the task throws.
template <class T>
Task<void> keep_value(Task<T> task, std::optional<T>& value) {
    value.emplace(co_await std::move(task));
}

// By way of a task without a value: Asio's part is compiled once, and not for each type.
template <class T>
T run_to_end(Task<T> task) {
    std::optional<T> value;
    run_to_end(keep_value(std::move(task), value));
    return std::move(*value);
}

}  // namespace postern::core
