#pragma once
#include <string>

#include "core/async/task_group.hpp"
#include "ra/enrollment.hpp"
#include "ra/requests.hpp"
#include "store/lease.hpp"

/// An officer's yes or no to requests that policy allows only with it.
namespace postern::ra {

/// What `postern_approvals_total` counts.
inline constexpr std::string_view approvals_total = "postern_approvals_total", approvals_help = "Approvals by what became of them";
/// Checks that problems of such requests name.
inline constexpr std::string_view approval_decision_check = "approval.decision", approval_time_check = "approval.time",
                                  approval_content_check = "approval.content";
/// What a client reads who is not told an officer's words.
inline constexpr std::string_view declined_text = "an officer declined the request";
/// When a client that waits for an officer may ask again. ACME clients are not patient: certbot gives up after 90 s.
inline constexpr std::chrono::seconds officers_pause(10);

PendingEnrollment waiting_for_officer(core::EnrollmentId id);
/// Why a request ended, as its enrollment has it.
core::Problem ended_problem(const store::EnrollmentRow& row);
/// That the certificate is given out now. From the first time on its attempt is bound for as long as others' (EnrollmentRequest::
/// repeated_for). Costs a read, and once a write, for enrollments that an officer approved; a read for others.
core::Task<void> note_delivery(store::Database& db, core::EnrollmentId enrollment, core::TimePoint now);

/// What an officer says about one request.
struct Decision {
    Decision() = default;
    bool approve = false;
    core::Bytes content_hash;  ///< of what the officer saw
    std::string message;       ///< for the requester; 1 to 500 octets where it is declined, may be empty where it is approved
};

class Approvals {
public:
    struct Deps {
        store::Database& db;
        store::Numbers& numbers;
        Enrollment& enrollment;
        core::TaskGroup& tasks;
        const core::Clock& clock;
        const ClockAgreement& clock_agreement;
        const Outbox& outbox;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node;  ///< names this node over its restarts
    };
    explicit Approvals(Deps deps);

    /// Durable when it returns. What was approved is issued then: it is waited for up to `until`, and goes on without the caller.
    /// The enrollment as it stands at the end. Errors: not_found (another tenant's too), forbidden (who asked for it decides
    /// nothing; on record), conflict (decided already, its time is over, or it resolves to something else than the officer saw),
    /// malformed (the message), unavailable (the clocks disagree).
    core::Task<core::Result<RequestShown>> decide(core::EnrollmentId id, Decision decision, Principal by, core::RequestId request, core::Deadline until);

    /// A round every two seconds, until it is cancelled.
    core::Task<void> run();
    /// Ends what nobody decided in time, and issues what was approved and not begun. One node at a time, under a lease. How
    /// many of them there were.
    core::Task<std::size_t> round();

private:
    struct Work;
    core::Task<core::Result<void>> judge(const RequestShown& shown, const Decision& decision, const Principal& by, const core::RequestId& request);
    core::Task<core::Result<void>> record(const RequestShown& shown, Decision decision, const Principal& by, core::RequestId request);
    core::Task<void> record_self_approval(store::EnrollmentRow row, Principal by, core::RequestId request);
    core::Task<void> issue_until(core::EnrollmentId id, core::Deadline until);
    core::Task<void> issue_and_tell(core::EnrollmentId id, std::shared_ptr<Work> work);
    core::Task<void> issue(core::EnrollmentId id);
    core::Task<void> lapse(core::EnrollmentId id);
    void announce(store::Batch& batch, std::string_view kind, const store::EnrollmentRow& row, const Decision& decision, const std::string& by, std::int64_t audit) const;

    Deps deps_;
    store::Lease lease_;
    observe::Counter approved_, declined_, lapsed_;
    observe::Gauge waiting_;
};

}  // namespace postern::ra
