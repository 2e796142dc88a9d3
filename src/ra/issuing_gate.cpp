#include "ra/issuing_gate.hpp"

namespace postern::ra {

core::Problem IssuingGate::Reason::problem() const {
    core::Problem out(core::ProblemKind::unavailable, why, check);
    out.retry_after = retry_after;
    return out;
}

void IssuingGate::shut(Reason reason) {
    const std::lock_guard lock(mutex_);
    auto name = reason.check;
    reasons_.insert_or_assign(std::move(name), std::move(reason));
    shut_.store(true);
}

void IssuingGate::open(std::string_view check) {
    const std::lock_guard lock(mutex_);
    if (const auto found = reasons_.find(check); found != reasons_.end()) reasons_.erase(found);
    shut_.store(!reasons_.empty());
}

std::optional<IssuingGate::Reason> IssuingGate::shut_by() const {
    if (!shut_.load()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return reasons_.empty() ? std::nullopt : std::optional(reasons_.begin()->second);
}

std::vector<IssuingGate::Reason> IssuingGate::reasons() const {
    const std::lock_guard lock(mutex_);
    std::vector<Reason> out;
    for (const auto& [name, reason] : reasons_) out.push_back(reason);
    return out;
}

}  // namespace postern::ra
