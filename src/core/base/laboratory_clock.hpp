#pragma once
#include "core/base/clock.hpp"

namespace postern::core {

/// A clock whose wall time a laboratory has set forward, so that nobody waits for an expiry. Timers and the monotonic
/// clocks are left alone. It only goes forward. Thread safe; a reading costs one atomic load more than the clock below.
class LaboratoryClock final : public Clock {
public:
    explicit LaboratoryClock(const Clock& machine) : machine_(machine) {}

    [[nodiscard]] TimePoint now() const noexcept override { return machine_.now() + ahead(); }
    [[nodiscard]] SteadyPoint steady() const noexcept override { return machine_.steady(); }
    [[nodiscard]] std::chrono::milliseconds since_boot() const noexcept override { return machine_.since_boot(); }

    /// 0 outside a laboratory.
    [[nodiscard]] std::chrono::milliseconds ahead() const noexcept { return ahead_.load(std::memory_order_relaxed); }
    /// False where it is that far ahead already.
    bool raise_to(std::chrono::milliseconds ahead) noexcept {
        auto held = ahead_.load(std::memory_order_relaxed);
        while (held < ahead)
            if (ahead_.compare_exchange_weak(held, ahead, std::memory_order_relaxed)) return true;
        return false;
    }

private:
    const Clock& machine_;
    std::atomic<std::chrono::milliseconds> ahead_{std::chrono::milliseconds(0)};
};

}  // namespace postern::core
