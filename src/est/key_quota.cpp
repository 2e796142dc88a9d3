#include "est/key_quota.hpp"

namespace postern::est {

std::optional<std::chrono::seconds> KeyQuota::take(core::AccountId account, unsigned most) {
    const auto now = clock_.steady();
    const std::lock_guard lock(mutex_);
    for (auto it = made_.begin(); it != made_.end();) {
        auto& times = it->second;
        while (!times.empty() && times.front() + period <= now) times.pop_front();
        it = times.empty() ? made_.erase(it) : std::next(it);
    }
    auto& times = made_[account];
    if (times.size() >= most) return std::chrono::ceil<std::chrono::seconds>(times[times.size() - most] + period - now);
    times.push_back(now);
    return std::nullopt;
}

}  // namespace postern::est
