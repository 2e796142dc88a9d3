#include "ra/approvals.hpp"
#include "ra/enrollment_steps.hpp"
#include "store/tables/certificate.hpp"

/// An attempt whose key is bound already: the same request again, which gets what the first one got.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

Task<bool> Enrollment::end_binding(const Attempt& a) {
    if (!a.request.repeated_for) co_return false;
    auto by_attempt = store::values(a.attempt_key);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_attempt, std::move(by_attempt));
    if (!found) co_return true;  // it ended meanwhile
    const auto row = store::EnrollmentRow::from(*found);
    const auto limit = a.now - *a.request.repeated_for;
    if (row.status != "issued" || row.updated >= limit) co_return false;
    // What was issued after an officer's yes waits for its client as long as that takes.
    auto by_enrollment = store::values(row.id);
    const auto approval = co_await store::read_one(deps_.db, store::approval_of, std::move(by_enrollment));
    if (approval && store::ApprovalRow::from(*approval).delivered.value_or(a.now) >= limit) co_return false;
    store::Batch batch;
    batch.add(store::enrollment_unbind, store::values(row.id, limit));
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // a conflict: somebody else freed it
    co_return true;
}

/// The same attempt again: its certificate when there is one, else where it stands.
Task<Result<EnrollmentOutcome>> Enrollment::repeat(core::Bytes key) {
    auto by_attempt = store::values(key);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_attempt, std::move(by_attempt));
    if (!found) co_return Problem(ProblemKind::conflict, "an earlier attempt ended meanwhile; ask again");
    const auto row = store::EnrollmentRow::from(*found);
    if (row.status == "declined") co_return ended_problem(row);
    if (row.status == "issued" && !row.withheld) {
        co_await note_delivery(deps_.db, row.id, deps_.clock.now());
        auto by_enrollment = store::values(row.id);
        const auto stored = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(by_enrollment));
        auto certificate = store::CertificateRow::from(stored.value());
        IssuedCertificate out;
        out.enrollment = row.id;
        out.certificate = certificate.id;
        out.token = std::move(certificate.token);
        out.der = std::move(certificate.der);
        out.issuer_key_id = std::move(certificate.issuer_key_id);
        co_return EnrollmentOutcome(std::move(out));
    }
    PendingEnrollment wait;
    wait.enrollment = row.id;
    if (row.status == "pending_approval") {
        wait = waiting_for_officer(row.id);
    } else if (row.status == "quarantined" || row.status == "unknown") {
        wait.reason = row.status == "unknown" ? "nobody knows whether the CA issued a certificate: the request waits for an officer"
                                              : "the CA's answer was not what had been authorised: the request is quarantined and waits for an officer";
        wait.retry_after = std::chrono::hours(1);  // people are slower than programs
    } else {
        wait.reason = row.pending_reason.empty() ? "an earlier request of the same kind is being worked on" : row.pending_reason;
    }
    co_return EnrollmentOutcome(std::move(wait));
}

}  // namespace postern::ra
