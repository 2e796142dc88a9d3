#include "ra/refusal_budget.hpp"

#include <algorithm>

namespace postern::ra {

void RefusalBudget::earn(Purse& purse, int most, std::chrono::seconds each, core::SteadyPoint now) {
    const auto earned = (now - purse.at) / each;
    purse.left = static_cast<int>(std::min<std::int64_t>(most, purse.left + earned));
    purse.at = purse.left == most ? now : purse.at + earned * each;
}

std::optional<std::int64_t> RefusalBudget::take(const std::string& source) {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    const auto found = sources_.try_emplace(source, bounds_.of_source, now).first;
    auto& own = found->second;
    if (own.turn != 0) by_age_.erase(own.turn);
    own.turn = ++turn_;
    by_age_[own.turn] = source;
    while (by_age_.size() > most_sources) {
        sources_.erase(by_age_.begin()->second);
        by_age_.erase(by_age_.begin());
    }
    earn(own, bounds_.of_source, bounds_.source_again, now);
    earn(all_, bounds_.of_all, bounds_.all_again, now);
    if (own.left == 0 || all_.left == 0) {
        ++own.left_out;
        return std::nullopt;
    }
    --own.left;
    --all_.left;
    return std::exchange(own.left_out, 0);
}

}  // namespace postern::ra
