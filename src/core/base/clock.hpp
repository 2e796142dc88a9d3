#pragma once
#include "core/base/time.hpp"

namespace postern::core {

/// Injected everywhere; nothing else asks the system for the time.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    [[nodiscard]] virtual SteadyPoint steady() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] SteadyPoint steady() const noexcept override;
};

/// For tests: stands still until advanced. `steady` moves with it.
class FakeClock final : public Clock {
public:
    explicit FakeClock(TimePoint start) : now_(start) {}
    [[nodiscard]] TimePoint now() const noexcept override { return now_; }
    [[nodiscard]] SteadyPoint steady() const noexcept override {
        return SteadyPoint{std::chrono::duration_cast<SteadyPoint::duration>(now_.time_since_epoch())};
    }
    void advance(std::chrono::milliseconds by) noexcept { now_ += by; }

private:
    TimePoint now_;
};

}  // namespace postern::core
