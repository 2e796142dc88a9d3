#pragma once
#include <atomic>

#include "core/base/time.hpp"

namespace postern::core {

/// Injected everywhere; nothing else asks the system for the time.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    [[nodiscard]] virtual SteadyPoint steady() const noexcept = 0;
    /// Since some fixed moment, and while the machine sleeps too: what the wall clock is compared with.
    [[nodiscard]] virtual std::chrono::milliseconds since_boot() const noexcept = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] SteadyPoint steady() const noexcept override;
    [[nodiscard]] std::chrono::milliseconds since_boot() const noexcept override;
};

/// For tests: stands still until advanced, and the others with it; or the wall clock alone is set. Other
/// threads may read it meanwhile.
class FakeClock final : public Clock {
public:
    explicit FakeClock(TimePoint start) : elapsed_(start.time_since_epoch()) {}
    [[nodiscard]] TimePoint now() const noexcept override { return TimePoint{elapsed_.load() + stepped_.load()}; }
    [[nodiscard]] SteadyPoint steady() const noexcept override {
        return SteadyPoint{std::chrono::duration_cast<SteadyPoint::duration>(since_boot())};
    }
    [[nodiscard]] std::chrono::milliseconds since_boot() const noexcept override {
        return elapsed_;
    }
    void advance(std::chrono::milliseconds by) noexcept { elapsed_ = elapsed_.load() + by; }
    /// Sets the wall clock forward or back.
    void step(std::chrono::milliseconds by) noexcept { stepped_ = stepped_.load() + by; }

private:
    std::atomic<std::chrono::milliseconds> elapsed_;
    std::atomic<std::chrono::milliseconds> stepped_{std::chrono::milliseconds(0)};
};

}  // namespace postern::core
