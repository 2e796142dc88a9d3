#include <algorithm>

#include "ca/content_json.hpp"
#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"

/// A CA that is not ours: it may take days, answer half, or not at all (design §4). Whoever holds the fence of the
/// submission records what became of it; nothing is handed over twice.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds first_question(1);
constexpr std::chrono::hours an_officers_time(1);

Problem settled_elsewhere() { return {ProblemKind::conflict, "the request was settled elsewhere; ask for its state"}; }

PendingEnrollment waiting(core::EnrollmentId id, std::string reason, std::chrono::seconds after) {
    PendingEnrollment out;
    out.enrollment = id;
    out.reason = std::move(reason);
    out.retry_after = after;
    return out;
}

std::string told(const Problem& problem, std::string_view more_name = {}, std::string_view more = {}) {
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem));
    if (!more.empty()) detail.member(more_name, more);
    detail.end_object();
    return detail.take();
}

}  // namespace

/// In the batch of the intent. Until it is due, whoever hands it over is at work.
void Enrollment::begin_submission(store::Batch& batch, Attempt& a) const {
    a.fence = 1;
    store::SubmissionRow row;
    row.enrollment = a.id;
    row.tenant = a.authorized->tenant();
    row.backend = a.backend_name;
    row.state = "sent";
    row.node = deps_.node;
    row.content = core::as_text(a.prepared.tbs);
    row.fence = a.fence;
    row.sent = deps_.clock.now();
    row.due = row.sent + a.foreign->submission + recording_time;
    batch.add(store::submission_insert, row.insert_values());
}

Task<Result<EnrollmentOutcome>> Enrollment::keep_outcome(Attempt& a, ca::Outcome outcome) {
    for (int tries = 1;; ++tries) {
        ca::Outcome copy = outcome;
        std::string away;
        try {
            co_return co_await take_outcome(a, std::move(copy));
        } catch (const core::Unavailable& fault) {
            if (tries == recording_tries) throw;
            away = fault.what();
        }
        deps_.log.warning("outcome_waits", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"why", away}});
        co_await core::sleep_for(between_tries);
    }
}

Task<Result<EnrollmentOutcome>> Enrollment::record_pending(Attempt& a, ca::Pending pending) {
    auto wait = waiting(a.id, "the CA has not answered yet", pending.poll_after);
    if (!a.foreign) co_return EnrollmentOutcome(std::move(wait));
    if (!a.foreign->poll && !a.foreign->find) {
        Problem mute(ProblemKind::internal, "the CA answered \"pending\", and its backend declares neither poll nor lookup", "backend.pending");
        co_return co_await record_unknown(a, std::move(mute));
    }
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::submission_pending, store::values(a.id, a.fence, pending.handle, now + pending.poll_after));
    if (a.first_answer) {
        auto record = a.audit("enrollment.pending", AuditRecord::Outcome::done);
        record.at = now;
        json::Writer detail;
        detail.begin_object().member("backend", a.backend_name).member("handle", pending.handle).end_object();
        record.detail = detail.take();
        add_audit(batch, audit_id, record);
    }
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return settled_elsewhere();
    co_return EnrollmentOutcome(std::move(wait));
}

/// The CA decided against it. What it says to the requester stands in the order; the rest is the officer's.
Task<Result<EnrollmentOutcome>> Enrollment::record_rejection(Attempt& a, ca::Refused refused) {
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    Problem problem(ProblemKind::forbidden, "the CA refused the request: " + refused.reason, "backend.decision");
    auto record = a.audit("enrollment.rejected", AuditRecord::Outcome::refused);
    record.at = now;
    record.check = problem.check;
    record.detail = told(problem, "log", refused.log);
    store::Batch batch;
    batch.add(store::submission_delete, store::values(a.id, a.fence));
    batch.add(store::enrollment_rejected, store::values(a.id, now, problem_json(problem)));
    if (a.takes_credentials()) release_credential(batch, a.id);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return settled_elsewhere();
    refused_.add();
    deps_.log.warning("enrollment_rejected", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}, {"why", refused.reason}, {"log", refused.log}});
    co_return problem;
}

/// A certificate may exist. A CA that can be asked is asked; else an officer finds out.
Task<Result<EnrollmentOutcome>> Enrollment::record_lost(Attempt& a, std::string why) {
    Problem problem(ProblemKind::internal, "the CA's answer was lost: " + why, "backend.answer");
    if (!a.foreign || !a.foreign->find) co_return co_await record_unknown(a, std::move(problem));
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.answer_lost", AuditRecord::Outcome::failed);
    record.at = now;
    record.check = problem.check;
    record.detail = told(problem);
    store::Batch batch;
    batch.add(store::submission_lost, store::values(a.id, a.fence, now + first_question));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return settled_elsewhere();
    deps_.log.warning("enrollment_answer_lost", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}, {"why", why}});
    auto wait = waiting(a.id, "the CA's answer was lost; it is asked what became of the request", std::chrono::seconds(2));
    co_return EnrollmentOutcome(std::move(wait));
}

Task<Result<EnrollmentOutcome>> Enrollment::record_unknown(Attempt& a, Problem problem) {
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.unknown", AuditRecord::Outcome::failed);
    record.at = now;
    record.check = problem.check;
    record.detail = told(problem);
    store::Batch batch;
    batch.add(store::submission_held, store::values(a.id, a.fence, nullptr));
    batch.add(store::enrollment_unknown, store::values(a.id, now, problem_json(problem)));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return settled_elsewhere();
    failed_.add();
    alarm_unknown_.add();
    deps_.log.error("enrollment_unknown", {{"alarm", "unknown"}, {"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}, {"why", problem.detail}});
    auto wait = waiting(a.id, "nobody knows whether the CA issued a certificate: the request waits for an officer", an_officers_time);
    co_return EnrollmentOutcome(std::move(wait));
}

/// It never got there, and whoever handed it over has surely ended: nothing was issued.
Task<Result<EnrollmentOutcome>> Enrollment::record_absent(Attempt& a) {
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    Problem problem(ProblemKind::unavailable, "the CA never received the request; make a new order", "backend.lookup");
    auto record = a.audit("enrollment.absent", AuditRecord::Outcome::failed);
    record.at = now;
    record.check = problem.check;
    record.detail = told(problem);
    store::Batch batch;
    batch.add(store::submission_delete, store::values(a.id, a.fence));
    batch.add(store::enrollment_invalid, store::values(a.id, now, problem_json(problem), a.prepared.serial));
    if (a.takes_credentials()) release_credential(batch, a.id);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return settled_elsewhere();
    failed_.add();
    deps_.log.warning("enrollment_absent", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}});
    co_return problem;
}

Task<Result<EnrollmentOutcome>> Enrollment::record_unplaced(Attempt& a, store::Conflict conflict, store::CertificateRow row, std::string received) {
    auto key = store::values(a.id);
    const auto stored = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(key));
    if (stored) co_return settled_elsewhere();  // often by ourselves: a commit of which nobody told us
    if (conflict.kind == store::Conflict::Kind::duplicate && conflict.statement == &store::certificate_insert) {
        ca::Issued issued;
        issued.received = std::move(received);
        Problem twice(ProblemKind::internal, "issued.serial: the CA has given the serial number " + core::hex(row.serial) + " to another certificate before", "issued.serial");
        co_return co_await quarantine(a, std::move(twice), std::move(issued));
    }
    if (conflict.statement == &store::blocked_key_none) {
        ca::Issued issued;
        issued.received = std::move(received);
        auto blocked = blocked_meanwhile("it was not when the certificate came back");
        co_return co_await quarantine(a, std::move(blocked), std::move(issued));
    }
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.late_answer", AuditRecord::Outcome::failed);
    record.at = row.created;
    json::Writer detail;
    detail.begin_object().member("serial", core::hex(row.serial)).member("received", received).end_object();
    record.detail = detail.take();
    store::Batch batch;
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    alarm_late_.add();
    deps_.log.error("enrollment_late_answer", {{"alarm", "late_answer"}, {"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}, {"serial", core::hex(row.serial)}, {"recorded", written.has_value()}});
    co_return settled_elsewhere();
}

}  // namespace postern::ra
