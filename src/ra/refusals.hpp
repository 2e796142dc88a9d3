#pragma once
#include "core/base/result.hpp"
#include "core/json/writer.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "ra/audit.hpp"
#include "ra/refusal_budget.hpp"
#include "store/database.hpp"
#include "store/numbers.hpp"

namespace postern::ra {

/// A request that a front end refused: what the waist does not hear of.
struct Refusal {
    Refusal() = default;
    AuditRecord record;     ///< but for outcome, check and detail
    core::Problem problem;  ///< as the client reads it
    std::string input;      ///< what the check looked at; no secrets
};

/// Audit rows of refusals (design §8), for `postern explain`. Thread safe.
class Refusals {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
    };
    /// Wrong, unknown or ended credentials were judged; who shows none was only asked for one, and many clients begin so.
    /// A sealed one only Intune can open, and while that is away a whole fleet behind one address is refused.
    enum class Shown { nothing, credential, sealed };
    static constexpr RefusalBudget::Bounds of_strangers{3, 100, std::chrono::minutes(10), std::chrono::minutes(1)};
    static constexpr RefusalBudget::Bounds of_credentials{20, 1000, std::chrono::minutes(1), std::chrono::seconds(10)};

    static constexpr RefusalBudget::Bounds of_sealed{300, 1000, std::chrono::seconds(10), std::chrono::seconds(10)};

    explicit Refusals(Deps deps);
    /// Of whoever was known.
    core::Task<void> record(Refusal refusal);
    /// Of whoever was not, at `address`. Strangers can cause these at will: beyond a bound they are only logged and counted, and the
    /// next row of that source says how many.
    core::Task<void> record(Refusal refusal, Shown shown, std::string address);
    /// The same bound, for who writes the row himself: nullopt, it is counted and no row is written; else what the row is to tell
    /// (add_left_out). `source`: http::source_of.
    [[nodiscard]] std::optional<RefusalBudget::LeftOut> admit(Shown shown, const std::string& source);

private:
    core::Task<void> write(Refusal refusal, RefusalBudget::LeftOut left_out);

    Deps deps_;
    RefusalBudget strangers_, credentials_, sealed_;
    observe::Counter left_out_;
};

/// In the object that is a row's detail: "not_recorded_before", and of sources that were forgotten "not_recorded_elsewhere".
void add_left_out(json::Writer& detail, const RefusalBudget::LeftOut& left_out);

}  // namespace postern::ra
