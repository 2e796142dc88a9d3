#include "ra/slow_down.hpp"

#include <algorithm>
#include <utility>

namespace postern::ra {

SlowDown::Try::Try(Try&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)), pair_(std::move(other.pair_)), secret_(std::move(other.secret_)), at_end_(other.at_end_), counted_(other.counted_), wait_(other.wait_) {}

SlowDown::Try::~Try() { settle(at_end_); }
void SlowDown::Try::wrong() { settle(Verdict::wrong); }
void SlowDown::Try::right() { settle(Verdict::right); }
void SlowDown::Try::taken_back() { settle(Verdict::none); }

void SlowDown::Try::settle(Verdict verdict) {
    auto* of = std::exchange(of_, nullptr);
    if (of == nullptr) return;
    if (counted_)
        of->settle(pair_, secret_, verdict);
    else if (verdict == Verdict::wrong)
        of->count(pair_);
}

SlowDown::Pair SlowDown::counted_as(Pair pair) const {
    const auto pairs = of_source_.find(pair.source);
    if (pairs != of_source_.end() && pairs->second >= most_of_source && !tries_.contains(pair)) pair.who.reset();
    return pair;
}

SlowDown::Try SlowDown::attempt(std::string source, std::string who, std::string secret) {
    const std::lock_guard lock(mutex_);
    forget_old();
    Try out(*this, counted_as(Pair(std::move(source), std::move(who))), std::move(secret));
    begin(out);
    return out;
}

SlowDown::Try SlowDown::attempt_of_fleet(std::string source, std::string who, std::string secret) {
    const std::lock_guard lock(mutex_);
    forget_old();
    Try out(*this, counted_as(Pair(std::move(source), std::move(who))), std::move(secret));
    const auto found = tries_.find(out.pair_);
    out.counted_ = found != tries_.end() && found->second.wrong >= pace_of(out.pair_).free_tries;
    if (out.counted_) begin(out);
    return out;
}

void SlowDown::begin(Try& one) {
    auto& tries = tries_of(one.pair_);
    if (const auto same = tries.judging.find(one.secret_); same != tries.judging.end()) {
        ++same->second.waiting;
        return;
    }
    const auto now = clock_.steady();
    if (tries.until > now) {
        one.wait_ = std::chrono::ceil<std::chrono::seconds>(tries.until - now);
        one.of_ = nullptr;
        return;
    }
    count(one.pair_, tries);
    auto& judged = tries.judging[one.secret_];
    judged.waiting = 1;
    judged.until = tries.until;
}

SlowDown::Tries& SlowDown::tries_of(const Pair& pair) {
    const auto [found, added] = tries_.try_emplace(pair);
    if (added && pair.who) ++of_source_[pair.source];
    return found->second;
}

core::SteadyPoint SlowDown::until(const Pair& pair, int wrong) const {
    const auto& pace = pace_of(pair);
    const int over = wrong - pace.free_tries;
    if (over <= 0) return {};
    return clock_.steady() + std::min(pace.longest, std::chrono::milliseconds(std::chrono::seconds(std::int64_t{1} << std::min(over, 16))));
}

void SlowDown::count(const Pair& pair) {
    const std::lock_guard lock(mutex_);
    const auto as = counted_as(pair);
    count(as, tries_of(as));
}

void SlowDown::count(const Pair& pair, Tries& tries) {
    if (tries.turn != 0) by_age_.erase(tries.turn);
    tries.turn = ++turn_;
    by_age_.emplace(tries.turn, pair);
    tries.until = until(pair, ++tries.wrong);
    tries.last = clock_.steady();
    while (by_age_.size() > most_pairs) forget(tries_.find(by_age_.begin()->second));
}

void SlowDown::forget(std::map<Pair, Tries>::iterator found) {
    if (found->first.who) {
        const auto pairs = of_source_.find(found->first.source);
        if (--pairs->second == 0) of_source_.erase(pairs);
    }
    by_age_.erase(found->second.turn);
    tries_.erase(found);
}

void SlowDown::forget_old() {
    const auto limit = clock_.steady() - forgotten_after;
    while (!by_age_.empty()) {
        const auto oldest = tries_.find(by_age_.begin()->second);
        if (oldest->second.last > limit || !oldest->second.judging.empty()) return;
        forget(oldest);
    }
}

void SlowDown::settle(const Pair& pair, const std::string& secret, Verdict verdict) {
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
        case Verdict::wrong: tries.until = until(pair, tries.wrong); break;
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
