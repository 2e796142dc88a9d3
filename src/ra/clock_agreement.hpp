#pragma once
#include <atomic>
#include <chrono>
#include <string>

#include "core/async/task.hpp"
#include "core/base/laboratory_clock.hpp"
#include "core/base/result.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/audit.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// Whether the wall clock can be believed. It is compared with what the monotonic clock makes of the time that was
/// agreed on last, with the database's own clock where that runs elsewhere, and at the start with the newest time
/// that the store holds: a stamp renewed each minute, and the newest audit row. A server that was stopped may
/// find any later time; an earlier one than the store's it may not. More than `tolerance` apart in
/// either direction stops issuing, until the wall clock is right again or an administrator accepts it.
///
/// Each node judges its own clock alone. What other nodes write is looked at where a start has nothing better, and never by a node
/// that runs; and the stamp says the database's time, so that no node's clock gets into it.
///
/// As a clock it says the wall time (set forward in a laboratory) while all agree, else what the monotonic clock makes of the time
/// agreed on last: for what has to go on meanwhile (CRLs, revocations).
class ClockAgreement final : public core::Clock {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node = {};  ///< an acceptance against the database's clock is this node's alone
        const core::LaboratoryClock* laboratory = nullptr;  ///< what `clock` is set forward by; nothing here is compared with that
    };
    /// For people and programs that ask.
    struct State {
        State() = default;
        bool agree = true;
        core::TimePoint wall{};
        core::TimePoint expected{};           ///< by the monotonic clock
        core::TimePoint database{};           ///< by the database's clock; 0: it has none of its own
        core::TimePoint store{};              ///< the newest time that the store holds; 0: none
        std::chrono::milliseconds apart{0};   ///< the largest of the disagreements; negative: the wall clock is behind
        std::chrono::milliseconds laboratory{0};  ///< so far ahead of the wall clock is what this installation dates with
        std::string reason;                   ///< empty while they agree
    };
    static constexpr std::chrono::minutes tolerance{5};

    explicit ClockAgreement(Deps deps);

    /// What a start does where the wall clock and the database's are too far apart: a server refuses, a verb goes on in doubt,
    /// for one of them accepts.
    enum class Apart { refuse, doubt };
    /// Reads what the store knows. Before anything is issued, and before anything is dated. Throws std::runtime_error
    /// that says what to do.
    core::Task<void> open(Apart apart = Apart::refuse);
    /// Asks the database every ten seconds, renews the stamp each minute and raises the alarm, until cancelled. The stamp
    /// is also the write that finds out, each second, whether a store that refused writes takes them again.
    core::Task<void> keep();
    /// One look of keep(): what is due now.
    core::Task<void> look();

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
    [[nodiscard]] bool agrees_with_database(core::TimePoint wall) const noexcept;
    [[nodiscard]] core::TimePoint expected() const noexcept;
    [[nodiscard]] core::TimePoint known() const noexcept;
    [[nodiscard]] core::TimePoint database(core::TimePoint wall) const noexcept;
    [[nodiscard]] core::TimePoint latest(core::TimePoint wall) const noexcept;
    [[nodiscard]] std::chrono::milliseconds laboratory() const noexcept { return deps_.laboratory ? deps_.laboratory->ahead() : std::chrono::milliseconds(0); }
    [[nodiscard]] std::string accepted_name() const;
    core::Task<void> ask_database();
    core::Task<void> read_accepted();
    core::Task<void> forget_accepted();
    core::Task<std::string> read_stamp();
    core::Task<void> renew_stamp();
    void raise_alarm(core::SteadyPoint now);

    Deps deps_;
    std::atomic<std::int64_t> base_ms_;          ///< wall time agreed on, less the monotonic clock's reading then
    std::atomic<std::int64_t> database_ms_{0};   ///< the database's time, less the same; as it was asked last
    std::atomic<bool> has_database_{false};      ///< whether it has a clock of its own
    std::atomic<std::int64_t> accepted_ms_{0};   ///< so far may the database's clock be ahead: an administrator said so
    std::atomic<std::int64_t> stamp_ms_{0};      ///< the store's at the start, and whatever this node wrote since
    std::atomic<std::int64_t> audit_ms_{0};      ///< the newest audit row's at the start
    observe::Gauge agree_, apart_;
    bool alarmed_ = false;
    core::SteadyPoint next_alarm_{};
    core::SteadyPoint next_stamp_{}, next_question_{};
};

}  // namespace postern::ra
