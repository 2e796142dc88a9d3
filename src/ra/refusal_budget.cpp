#include "ra/refusal_budget.hpp"

#include <algorithm>

namespace postern::ra {

void RefusalBudget::earn(Purse& purse, int most, std::chrono::seconds each, core::SteadyPoint now) {
    const auto earned = (now - purse.at) / each;
    purse.left = static_cast<int>(std::min<std::int64_t>(most, purse.left + earned));
    purse.at = purse.left == most ? now : purse.at + earned * each;
}

std::optional<RefusalBudget::LeftOut> RefusalBudget::take(const std::string& source) {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    const auto found = sources_.try_emplace(source, bounds_.of_source, now).first;
    auto& own = found->second;
    if (own.turn != 0) by_age_.erase(own.turn);
    own.turn = ++turn_;
    by_age_[own.turn] = source;
    while (by_age_.size() > most_sources) {
        const auto quiet = sources_.find(by_age_.begin()->second);
        forgotten_ += quiet->second.left_out;
        sources_.erase(quiet);
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
    LeftOut out;
    out.of_source = std::exchange(own.left_out, 0);
    out.of_others = std::exchange(forgotten_, 0);
    return out;
}

}  // namespace postern::ra
