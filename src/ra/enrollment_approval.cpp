#include <algorithm>

#include "ca/content_json.hpp"
#include "core/async/fail_point.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "ra/approvals.hpp"
#include "ra/caa.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/profile_pauses.hpp"
#include "store/tables/requester.hpp"

/// Requests that policy allows only with an officer's yes: what is recorded instead of an intent, and the intent that follows
/// the yes (docs/approval.md). The yes itself is approvals.cpp.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view waits_reason = "an officer must approve the request";
/// Between two tries where the CA is away.
constexpr std::chrono::seconds between_issues(30);
/// What was approved is tried for so long at least.
constexpr std::chrono::hours least_time(24);

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
    return out;
}

/// What an officer looks at, one text a member: what differs later can be named.
std::string content_text(const ca::Content& c, const std::string& backend, const std::string& requester, const std::string& term) {
    std::vector<std::string> names, usages, parameters;
    for (const auto& n : c.names) names.push_back(crypto::to_text(n));
    for (const auto bit : c.key_usage) usages.emplace_back(ca::key_usage_word(bit));
    for (const auto& [name, value] : c.parameters) parameters.push_back(name + "=" + value);
    json::Writer w;
    w.begin_object().member("subject", c.subject.to_text()).member("names", joined(names));
    w.member("key", crypto::describe(c.key.type(), c.key.bits()) + " " + core::hex(c.key.spki_sha256())).member("term", term);
    w.member("profile", c.profile_name + " version " + std::to_string(c.profile_version)).member("backend", backend);
    if (!parameters.empty()) w.member("parameters", joined(parameters));
    w.member("keyUsage", joined(usages)).member("extendedKeyUsage", joined(c.extended_key_usage));
    if (c.must_staple) w.member("mustStaple", "yes");
    if (!c.security_identifier.empty()) w.member("securityIdentifier", c.security_identifier);
    w.member("requester", requester).end_object();
    return w.take();
}

/// Which members of two such texts are not the same.
std::string difference(std::string_view before, std::string_view now) {
    const auto a = json::Document::parse(before), b = json::Document::parse(now);
    if (!a || !b) return "its content";
    const auto text = [](const json::Value& v) {
        const auto s = v.string();
        return s ? std::string(*s) : std::string();
    };
    std::vector<std::string> names;
    for (const auto* side : {&*a, &*b})
        for (const auto& [name, value] : side->root().members()) {
            const std::string member(name);
            if (text(a->root()[member]) != text(b->root()[member]) && std::ranges::find(names, member) == names.end()) names.push_back(member);
        }
    return names.empty() ? "its extensions" : joined(names);
}

}  // namespace

PendingEnrollment waiting_for_officer(core::EnrollmentId id) {
    PendingEnrollment out;
    out.enrollment = id;
    out.reason = waits_reason;
    out.retry_after = officers_pause;
    return out;
}

store::ApprovalRow Enrollment::approval_row(const Attempt& a) const {
    store::ApprovalRow row;
    row.enrollment = a.id;
    row.tenant = a.authorized->tenant();
    row.asked_by = a.request.asked_by;
    row.content = content_text(a.authorized->content(), a.backend_name, a.request.requester, a.term());
    row.trace = a.trace.to_json();
    row.wished_from = a.wished_from;
    row.wished_until = a.wished_until;
    row.issuer_key_id = a.request.issuer_key_id;
    row.asked = a.now;
    row.limit = a.now + a.profile->approval_limit;
    return row;
}

void Enrollment::announce_awaiting(store::Batch& batch, const Attempt& a, std::int64_t audit) const {
    constexpr std::string_view kind = "request.awaiting_approval";
    if (!deps_.outbox.wants(kind)) return;
    json::Writer body;
    body.begin_object().member("enrollment", a.id.get()).member("request", a.request.id.get()).member("account", a.account->name);
    body.member("until", core::rfc3339(a.now + a.profile->approval_limit));
    body.key("content").raw(content_text(a.authorized->content(), a.backend_name, a.request.requester, a.term())).end_object();
    deps_.outbox.add(batch, kind, std::to_string(a.id.get()) + "." + std::to_string(audit), body.take());
}

Task<Result<Enrollment::Recorded>> Enrollment::record_awaiting(Attempt& a) {
    auto row = enrollment_row(a, "pending_approval");
    row.pending_reason = waits_reason;
    auto record = a.audit("request.awaiting_approval", AuditRecord::Outcome::done);
    json::Writer detail;
    detail.begin_object().key("names").raw(row.names).member("why", a.trace.needs_approval()->reason).member("contentHash", core::hex(row.content_hash));
    detail.key("trace").raw(a.trace.to_json()).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);

    store::Batch batch;
    a.guard_configuration(batch);
    guard_unblocked(batch, a.keys());
    batch.add(store::enrollment_insert, row.insert_values());
    index_names(batch, a.id, a.request.via, a.authorized->content().names);
    batch.add(store::approval_put, approval_row(a).put_values());
    if (a.request.single_use) reserve_credential(batch, *a.request.single_use, a.counted_at(), row.spki_sha256, a.id);
    if (a.request.claim) a.request.claim(batch, a.id);
    add_audit(batch, audit_id, record);
    announce_awaiting(batch, a, audit_id);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return co_await unrecorded(a, written.error());
    deps_.log.info("request_awaits_approval", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"names", row.names}});
    co_return Recorded::now;
}

void Enrollment::ask_again(store::Batch& batch, const Attempt& a, const store::EnrollmentRow& row, const std::string& why, std::int64_t audit) const {
    const core::Bytes none;
    batch.add(store::enrollment_asked_again,
              store::values(row.id, row.status, row.serial, a.resolved_hash(), a.profile->version, names_json(a.authorized->content().names), a.backend_name,
                            std::string(waits_reason) + ": " + why, a.now, none));
    batch.add(store::approval_put, approval_row(a).put_values());
    index_names(batch, row.id, a.request.via, a.authorized->content().names);
    announce_awaiting(batch, a, audit);
}

Task<bool> Enrollment::issue_approved(core::EnrollmentId id) {
    if (const auto agreed = deps_.clock_agreement.check(); !agreed) co_return false;
    auto hold = intents_.take(id);
    if (!hold) co_return false;
    auto by_id = store::values(id), by_enrollment = by_id;
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto asked = co_await store::read_one(deps_.db, store::approval_of, std::move(by_enrollment));
    if (!found || !asked || store::EnrollmentRow::from(*found).status != "approved") {
        hold->conclude();
        co_return false;
    }
    auto row = store::EnrollmentRow::from(*found);
    auto approval = store::ApprovalRow::from(*asked);
    Attempt a;
    co_await take_up(a, row);
    a.approved_until = std::max(approval.limit, approval.decided.value_or(a.now) + least_time);
    // The client's own dates, or the profile's term from today on. A beginning that was good when it was asked for may
    // have slipped too far back since.
    a.request.not_after = approval.wished_until;
    a.request.not_before = approval.wished_from;
    if (const auto* profile = a.catalog->profile(row.profile); profile != nullptr && approval.wished_from)
        a.request.not_before = std::max(*approval.wished_from, core::floor_seconds(a.now - profile->backdate));

    const auto leave = co_await decide_again(a);
    const bool later = !leave && may_pass(leave.error());
    if (later) {
        co_await try_approved_later(a, leave.error());
        hold->conclude();
        co_return true;
    }
    if (!leave) {
        co_await end_approved(a, leave.error());
        if (a.profile && pauses_profile(leave.error())) co_await pause_profile(a, leave.error());
        hold->conclude();
        co_return true;
    }
    if (a.resolved_hash() != row.content_hash) {
        co_await record_void_approval(a, std::move(row), std::move(approval));
        hold->conclude();
        co_return true;
    }
    const auto intent = co_await record_approved_intent(a, row);
    if (!intent) {
        // Judged anew in the next round, or somebody else's intent.
        deps_.log.debug("approved_not_begun", {{"enrollment", id.get()}, {"why", store::to_string(intent.error())}});
        hold->conclude();
        co_return false;
    }
    co_await core::fail_point("intent_committed");
    const auto outcome = co_await sign_and_record(a);
    if (outcome || outcome.error().kind != ProblemKind::conflict) hold->conclude();
    co_return true;
}

Task<store::Written> Enrollment::record_approved_intent(Attempt& a, const store::EnrollmentRow& row) {
    const auto tbs = crypto::sha256(a.prepared.tbs);
    const auto& content = a.authorized->content();
    auto record = a.audit("enrollment.intent", AuditRecord::Outcome::done);
    json::Writer detail;
    detail.begin_object().key("names").raw(row.names).member("serial", core::hex(a.prepared.serial)).key("trace").raw(a.trace.to_json()).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    a.guard_configuration(batch);
    guard_unblocked(batch, a.keys());
    for (const auto& e : a.request.evidence)
        if (!e.requester.empty()) batch.add(*store::requester(e.requester).guard, store::values(e.row));
    batch.add(store::enrollment_approved_intent,
              store::values(row.id, row.content_hash, a.prepared.issuer_key_id, a.prepared.serial, core::BytesView(tbs), content.not_before,
                            content.not_after, a.now, deps_.lives.own()));
    batch.add(store::approval_closed, store::values(row.id));
    if (a.foreign) begin_submission(batch, a);
    add_audit(batch, audit_id, record);
    co_return co_await deps_.db.write(std::move(batch));
}

/// R11: the officer agreed to something else.
Task<void> Enrollment::record_void_approval(Attempt& a, store::EnrollmentRow row, store::ApprovalRow approval) {
    const auto now = content_text(a.authorized->content(), a.backend_name, a.request.requester, a.term());
    const auto what = difference(approval.content, now);
    const auto why = "since it was approved this has changed: " + what;
    auto record = a.audit("request.approval_void", AuditRecord::Outcome::refused);
    record.actor = Actor("system", "approval");
    record.check = approval_content_check;
    json::Writer detail;
    detail.begin_object().member("changed", what).member("approvedBy", approval.decided_by.value_or("")).member("approvedHash", core::hex(row.content_hash));
    detail.member("contentHash", core::hex(a.resolved_hash())).key("was").raw(approval.content).key("now").raw(now).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    a.guard_configuration(batch);
    ask_again(batch, a, row, why, audit_id);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;  // somebody else's turn, or it changed once more: the next round looks again
    approvals_void_.add();
    deps_.log.warning("approval_void", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"why", why}});
}

/// Policy refuses today what an officer approved (R10).
Task<void> Enrollment::end_approved(Attempt& a, Problem problem) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.refused", AuditRecord::Outcome::refused);
    record.check = problem.check;
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem)).key("trace").raw(a.trace.to_json()).end_object();
    record.detail = detail.take();
    store::Batch batch;
    batch.add(store::enrollment_approval_ended, store::values(a.id, "approved", "invalid", a.now, problem_json(problem)));
    batch.add(store::approval_closed, store::values(a.id));
    if (a.takes_credentials()) release_credential(batch, a.id);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    refused_.add();
    deps_.log.warning("approved_refused", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"check", problem.check}, {"why", problem.detail}, {"recorded", written.has_value()}});
}

Task<void> Enrollment::try_approved_later(Attempt& a, Problem problem) {
    if (a.now >= a.approved_until.value()) {
        co_await end_approved(a, std::move(problem));
        co_return;
    }
    store::Batch batch;
    batch.add(store::approval_postponed, store::values(a.id, a.now + between_issues));
    const auto written = co_await deps_.db.write(std::move(batch));
    deps_.log.warning("approved_waits", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"why", problem.detail}, {"recorded", written.has_value()}});
}

Task<Result<EnrollmentOutcome>> Enrollment::record_approved_still(Attempt& a, Problem problem) {
    const auto now = deps_.clock.now();
    if (now >= a.approved_until.value()) co_return co_await record_failure(a, std::move(problem), true);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.postponed", AuditRecord::Outcome::failed);
    record.at = now;
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem)).member("signed", "no").end_object();
    record.detail = detail.take();
    const core::Bytes none;
    store::Batch batch;
    batch.add(store::enrollment_approved_still, store::values(a.id, a.prepared.serial, now, none));
    if (a.foreign) batch.add(store::submission_delete, store::values(a.id, a.fence));
    batch.add(store::approval_postponed, store::values(a.id, now + between_issues));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    failed_.add();
    deps_.log.warning("approved_waits", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"why", problem.detail}, {"recorded", written.has_value()}});
    co_return problem;
}

}  // namespace postern::ra
