#include "ra/slow_down.hpp"

#include <algorithm>
#include <utility>

namespace postern::ra {

SlowDown::Try::Try(Try&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)), pair_(std::move(other.pair_)), secret_(std::move(other.secret_)), wait_(other.wait_) {}

SlowDown::Try::~Try() {
    if (auto* of = std::exchange(of_, nullptr)) of->settle(pair_, secret_, Verdict::none);
}

void SlowDown::Try::wrong() {
    if (auto* of = std::exchange(of_, nullptr)) of->settle(pair_, secret_, Verdict::wrong);
}

void SlowDown::Try::right() {
    if (auto* of = std::exchange(of_, nullptr)) of->settle(pair_, secret_, Verdict::right);
}

SlowDown::Try SlowDown::attempt(std::string pair, std::string secret) {
    Try out(*this, std::move(pair), std::move(secret));
    const std::lock_guard lock(mutex_);
    auto& tries = tries_[out.pair_];
    if (const auto same = tries.judging.find(out.secret_); same != tries.judging.end()) {
        ++same->second.waiting;
        return out;
    }
    const auto now = clock_.steady();
    if (tries.until > now) {
        out.wait_ = std::chrono::ceil<std::chrono::seconds>(tries.until - now);
        out.of_ = nullptr;
        return out;
    }
    if (tries.judging.empty() && tries.last + forgotten_after <= now) tries.wrong = 0;
    count(out.pair_, tries);
    auto& judged = tries.judging[out.secret_];
    judged.waiting = 1;
    judged.until = tries.until;
    return out;
}

core::SteadyPoint SlowDown::until(int wrong) const {
    const int over = wrong - free_tries;
    if (over <= 0) return {};
    return clock_.steady() + std::min(longest, std::chrono::seconds(std::int64_t{1} << std::min(over, 16)));
}

void SlowDown::count(const std::string& pair, Tries& tries) {
    if (tries.turn != 0) by_age_.erase(tries.turn);
    tries.turn = ++turn_;
    by_age_[tries.turn] = pair;
    tries.until = until(++tries.wrong);
    tries.last = clock_.steady();
    while (by_age_.size() > most_pairs) forget(tries_.find(by_age_.begin()->second));
}

void SlowDown::forget(std::map<std::string, Tries>::iterator found) {
    by_age_.erase(found->second.turn);
    tries_.erase(found);
}

void SlowDown::settle(const std::string& pair, const std::string& secret, Verdict verdict) {
    const std::lock_guard lock(mutex_);
    const auto found = tries_.find(pair);
    if (found == tries_.end()) return;  // forgotten meanwhile
    auto& tries = found->second;
    const auto judged = tries.judging.find(secret);
    if (judged == tries.judging.end()) return;
    const bool others = --judged->second.waiting > 0;
    if (verdict == Verdict::none && others) return;  // whoever waits for the same answer has it counted
    const bool newest = judged->second.until == tries.until;
    tries.judging.erase(judged);
    switch (verdict) {
        // The wait begins when it is told.
        case Verdict::wrong: tries.until = until(tries.wrong); break;
        case Verdict::right:
            tries.wrong = static_cast<int>(tries.judging.size());
            tries.until = {};
            break;
        case Verdict::none:
            --tries.wrong;
            if (newest) tries.until = {};
            break;
    }
    if (tries.wrong <= 0 && tries.judging.empty()) forget(found);
}

}  // namespace postern::ra
