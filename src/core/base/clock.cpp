#include "core/base/clock.hpp"

namespace postern::core {

TimePoint SystemClock::now() const noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyPoint SystemClock::steady() const noexcept { return std::chrono::steady_clock::now(); }

}  // namespace postern::core
