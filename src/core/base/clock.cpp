#include "core/base/clock.hpp"

#include <ctime>

namespace postern::core {

TimePoint SystemClock::now() const noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyPoint SystemClock::steady() const noexcept { return std::chrono::steady_clock::now(); }

std::chrono::milliseconds SystemClock::since_boot() const noexcept {
    timespec reading{};
    ::clock_gettime(CLOCK_BOOTTIME, &reading);
    const auto exact = std::chrono::seconds(reading.tv_sec) + std::chrono::nanoseconds(reading.tv_nsec);
    return std::chrono::floor<std::chrono::milliseconds>(exact);
}

}  // namespace postern::core
