#include "azure/breaker.hpp"

#include <algorithm>

namespace postern::azure {

std::optional<std::chrono::seconds> Breaker::held(std::int64_t account, core::TimePoint now) {
    const auto found = states_.find(account);
    if (found == states_.end() || found->second.until == core::TimePoint{}) return std::nullopt;
    auto& state = found->second;
    // A clock that was set back must not hold it for longer.
    if (now < state.until && now >= state.from) return std::chrono::ceil<std::chrono::seconds>(state.until - now);
    if (state.trying) return std::chrono::seconds(1);
    state.trying = true;
    return std::nullopt;
}

void Breaker::succeeded(std::int64_t account) { states_.erase(account); }

void Breaker::undecided(std::int64_t account) {
    if (const auto found = states_.find(account); found != states_.end()) found->second.trying = false;
}

void Breaker::failed(std::int64_t account, core::TimePoint now, std::optional<std::chrono::seconds> wait) {
    auto& state = states_[account];
    ++state.failures;
    if (wait) {
        state.from = now;
        state.until = now + std::clamp(*wait, std::chrono::seconds(1), longest_asked);
    } else if (state.trying || state.failures >= failures_in_a_row) {
        if (now < state.until && now >= state.from) return;  // of those that were under way already
        state.from = now;
        state.until = now + state.pause;
        state.pause = std::min(state.pause * 2, longest);
    }
    state.trying = false;
}

bool Breaker::open(std::int64_t account) const {
    const auto found = states_.find(account);
    return found != states_.end() && found->second.until != core::TimePoint{};
}

}  // namespace postern::azure
