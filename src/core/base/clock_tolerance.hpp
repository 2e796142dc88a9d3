#pragma once
#include <chrono>

namespace postern::core {

/// How far a node's clock may be from what it is judged by, and from any other node's: one may be ahead and one behind.
inline constexpr std::chrono::minutes clock_tolerance{5};
inline constexpr std::chrono::minutes clocks_apart = 2 * clock_tolerance;

}  // namespace postern::core
