#include "azure/deps.hpp"

namespace postern::azure {

std::chrono::milliseconds pause_before(unsigned next_try, core::Random& random) {
    constexpr std::chrono::milliseconds first(500);
    constexpr int least_percent = 75, spread_percent = 51;
    const int percent = least_percent + random.bytes(1).front() % spread_percent;
    return first * (1 << (next_try - 1)) * percent / 100;
}

std::optional<std::chrono::milliseconds> next_pause(unsigned tries, const Failure& why, core::Random& random, core::Deadline deadline) {
    if (tries >= most_tries || !why.passing()) return std::nullopt;
    if (why.at_once) return std::chrono::milliseconds(0);
    const auto pause = why.retry_after ? std::chrono::milliseconds(*why.retry_after) : pause_before(tries, random);
    if (std::chrono::steady_clock::now() + pause >= deadline) return std::nullopt;
    return pause;
}

}  // namespace postern::azure
