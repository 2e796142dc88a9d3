#include "ra/slow_down.hpp"

#include <algorithm>

namespace postern::ra {

std::optional<std::chrono::seconds> SlowDown::wait(const std::string& pair) const {
    const std::lock_guard lock(mutex_);
    const auto found = tries_.find(pair);
    const auto now = clock_.steady();
    if (found == tries_.end() || found->second.until <= now) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(found->second.until - now);
}

void SlowDown::wrong(const std::string& pair) {
    const std::lock_guard lock(mutex_);
    auto& tries = tries_[pair];
    if (tries.turn != 0) by_age_.erase(tries.turn);
    tries.turn = ++turn_;
    by_age_[tries.turn] = pair;
    const int over = ++tries.wrong - free_tries;
    if (over > 0) tries.until = clock_.steady() + std::min(longest, std::chrono::seconds(std::int64_t{1} << std::min(over, 16)));
    while (by_age_.size() > most_pairs) {
        tries_.erase(by_age_.begin()->second);
        by_age_.erase(by_age_.begin());
    }
}

void SlowDown::right(const std::string& pair) {
    const std::lock_guard lock(mutex_);
    const auto found = tries_.find(pair);
    if (found == tries_.end()) return;
    by_age_.erase(found->second.turn);
    tries_.erase(found);
}

}  // namespace postern::ra
