#include "ra/open_intents.hpp"

#include <mutex>
#include <set>
#include <unordered_set>
#include <utility>

namespace postern::ra {

struct OpenIntents::State {
    std::mutex mutex;
    std::unordered_set<std::int64_t> held;
    std::set<std::int64_t> left;
};

OpenIntents::Hold::~Hold() {
    if (!state_) return;
    const std::lock_guard lock(state_->mutex);
    state_->held.erase(id_.get());
    state_->left.insert(id_.get());
}

void OpenIntents::Hold::conclude() noexcept {
    const auto state = std::exchange(state_, nullptr);
    const std::lock_guard lock(state->mutex);
    state->held.erase(id_.get());
}

OpenIntents::OpenIntents() : state_(std::make_shared<State>()) {}

OpenIntents::Hold OpenIntents::begin(core::EnrollmentId id) {
    const std::lock_guard lock(state_->mutex);
    state_->held.insert(id.get());
    return Hold(state_, id);
}

std::optional<OpenIntents::Hold> OpenIntents::take(core::EnrollmentId id) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->held.insert(id.get()).second) return std::nullopt;
    state_->left.erase(id.get());
    return std::optional<Hold>(std::in_place, state_, id);
}

void OpenIntents::leave(const std::vector<core::EnrollmentId>& ids) {
    const std::lock_guard lock(state_->mutex);
    for (const auto id : ids) state_->left.insert(id.get());
}

std::size_t OpenIntents::held() const {
    const std::lock_guard lock(state_->mutex);
    return state_->held.size();
}

std::vector<core::EnrollmentId> OpenIntents::left(std::size_t at_most) const {
    const std::lock_guard lock(state_->mutex);
    std::vector<core::EnrollmentId> out;
    for (const auto id : state_->left) {
        if (out.size() == at_most) break;
        out.emplace_back(id);
    }
    return out;
}

}  // namespace postern::ra
