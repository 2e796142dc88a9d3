#pragma once
#include <chrono>
#include <exception>
#include <functional>

#include "core/async/task.hpp"

namespace postern::core {

/// How often a round comes, and who hears of one that threw.
struct Repeated {
    using Told = std::function<void(const std::exception& fault)>;
    Repeated(std::chrono::milliseconds e, Told t) : every(e), told(std::move(t)) {}
    std::chrono::milliseconds every;
    Told told;
    std::function<void()> succeeded = [] {};
    std::chrono::milliseconds longest = std::chrono::seconds(30);
};

/// Waits and carries a round out, over and over, until it is cancelled. No fault of a round ends it: after
/// Unavailable the next one comes as usual, after anything else the pause doubles, up to `longest`, until one succeeds.
Task<void> repeat(Repeated how, std::function<Task<void>()> round);

}  // namespace postern::core
