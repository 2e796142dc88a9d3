#pragma once
#include <atomic>
#include <chrono>
#include <string>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/audit.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// Whether the wall clock can be believed. It is compared with what the monotonic
/// clock makes of the time that was agreed on last, and with the newest time that the store holds: a
/// stamp renewed each minute, and at the start the newest audit row. A server that was stopped may
/// find any later time; an earlier one than the store's it may not. More than `tolerance` apart in
/// either direction stops issuing, until the wall clock is right again or an administrator accepts it.
///
/// As a clock it says the wall time while all agree, else what the monotonic clock makes of the time
/// agreed on last: for what has to go on meanwhile (CRLs, revocations).
class ClockAgreement final : public core::Clock {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    /// For people and programs that ask.
    struct State {
        State() = default;
        bool agree = true;
        core::TimePoint wall{};
        core::TimePoint expected{};           ///< by the monotonic clock
        core::TimePoint store{};              ///< the newest time that the store holds; 0: none
        std::chrono::milliseconds apart{0};   ///< the larger of the two disagreements; negative: the wall clock is behind
        std::string reason;                   ///< empty while they agree
    };
    static constexpr std::chrono::minutes tolerance{5};

    explicit ClockAgreement(Deps deps);

    /// Reads what the store knows. Before anything is issued.
    core::Task<void> open();
    /// Renews the stamp each minute and raises the alarm, until cancelled. The stamp is also the write
    /// that finds out, each second, whether a store that refused writes takes them again.
    core::Task<void> keep();

    /// unavailable, with the check "clock.agreement". Costs two readings of the clock.
    [[nodiscard]] core::Result<void> check() const;
    [[nodiscard]] State state() const;
    /// From now on the wall clock is right. Audited; not where they agree already.
    core::Task<State> accept(Actor by, core::RequestId request);

    [[nodiscard]] core::TimePoint now() const noexcept override;
    [[nodiscard]] core::SteadyPoint steady() const noexcept override { return deps_.clock.steady(); }
    [[nodiscard]] std::chrono::milliseconds since_boot() const noexcept override { return deps_.clock.since_boot(); }

private:
    [[nodiscard]] bool agrees(core::TimePoint wall) const noexcept;
    [[nodiscard]] core::TimePoint expected() const noexcept;
    [[nodiscard]] core::TimePoint known() const noexcept;
    core::Task<void> read_stamp();
    core::Task<void> write_stamp();
    core::Task<void> renew_stamp();
    void raise_alarm(core::SteadyPoint now);

    Deps deps_;
    std::atomic<std::int64_t> base_ms_;          ///< wall time agreed on, less the monotonic clock's reading then
    std::atomic<std::int64_t> stamp_ms_{0};      ///< the store's
    std::atomic<std::int64_t> audit_ms_{0};      ///< the newest audit row's at the start
    observe::Gauge agree_, apart_;
    bool alarmed_ = false;
    core::SteadyPoint next_alarm_{};
    core::SteadyPoint next_stamp_{};
};

}  // namespace postern::ra
