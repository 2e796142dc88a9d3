#include "ra/approvals.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/single_use.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds pause(2), longest_pause(16);
/// Whoever approved it issues it; then the rounds do.
constexpr std::chrono::seconds grace(4);
constexpr std::int64_t page = 64;
constexpr std::size_t longest_message = 500;

/// It stands in an ACME problem or a SCEP failInfoText.
bool is_plain(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string request_number(const store::EnrollmentRow& row) { return "request " + std::to_string(row.id.get()); }

/// Who decided it, and when; or what it is now.
Problem decided_already(const RequestShown& shown) {
    const auto& approval = *shown.approval;
    auto text = request_number(shown.enrollment) + " is " + shown.enrollment.status;
    if (approval.decision) text = request_number(shown.enrollment) + " was " + *approval.decision + " by " + approval.decided_by.value_or("") + " at " +
                                  core::rfc3339(approval.decided.value_or(core::TimePoint())) + " and is " + shown.enrollment.status;
    return {ProblemKind::conflict, std::move(text), std::string(approval_decision_check)};
}

Problem over(const RequestShown& shown) {
    return {ProblemKind::conflict, request_number(shown.enrollment) + " could be decided until " + core::rfc3339(shown.approval->limit) + "; its client has to ask anew",
            std::string(approval_time_check)};
}

}  // namespace

/// Shared by the work and who waits for it; both run on one executor.
struct Approvals::Work {
    Work(const core::Executor& executor, core::Deadline until) : ended(executor, until) {}
    boost::asio::steady_timer ended;
};

Problem ended_problem(const store::EnrollmentRow& row) {
    Problem out(ProblemKind::forbidden, "the request is " + row.status);
    if (row.status == "declined") out = Problem(ProblemKind::forbidden, std::string(declined_text), std::string(approval_decision_check));
    const auto stored = json::Document::parse(row.problem.value_or("{}"));
    if (!stored) return out;
    // What went wrong on this side is for officers.
    const auto kind = stored->root()["kind"].string();
    if (kind && (*kind == core::to_string(ProblemKind::internal) || *kind == core::to_string(ProblemKind::unavailable))) return out;
    if (const auto detail = stored->root()["detail"].string()) out.detail = *detail;
    if (const auto check = stored->root()["check"].string()) out.check = *check;
    return out;
}

Task<void> note_delivery(store::Database& db, core::EnrollmentId enrollment, core::TimePoint now) {
    auto by_enrollment = store::values(enrollment);
    const auto found = co_await store::read_one(db, store::approval_of, std::move(by_enrollment));
    if (!found || store::ApprovalRow::from(*found).delivered) co_return;
    store::Batch batch;
    batch.add(store::approval_delivered, store::values(enrollment, now), store::Expect::any);
    const auto written = co_await db.write(std::move(batch));
    static_cast<void>(written);
}

Approvals::Approvals(Deps deps)
    : deps_(std::move(deps)), lease_(deps_.db, deps_.clock, "approvals", deps_.node),
      approved_(deps_.metrics.counter(approvals_total, approvals_help, {{"result", "approved"}})),
      declined_(deps_.metrics.counter(approvals_total, approvals_help, {{"result", "declined"}})),
      lapsed_(deps_.metrics.counter(approvals_total, approvals_help, {{"result", "lapsed"}})),
      waiting_(deps_.metrics.gauge("postern_approvals_waiting", "Requests that an officer has to decide")) {}

Task<Result<RequestShown>> Approvals::decide(core::EnrollmentId id, Decision decision, Principal by, core::RequestId request, core::Deadline until) {
    if (auto agreed = deps_.clock_agreement.check(); !agreed) co_return agreed.error();
    const auto reference = std::to_string(id.get());
    const auto shown = co_await find_request(deps_.db, by, reference);
    if (!shown) co_return shown.error();
    const auto allowed = co_await judge(*shown, decision, by, request);
    if (!allowed) co_return allowed.error();
    const bool approve = decision.approve;
    const auto recorded = co_await record(*shown, std::move(decision), by, std::move(request));
    if (!recorded) co_return recorded.error();
    if (approve) co_await issue_until(id, until);
    co_return co_await find_request(deps_.db, by, reference);
}

Task<Result<void>> Approvals::judge(const RequestShown& shown, const Decision& decision, const Principal& by, const core::RequestId& request) {
    const auto& row = shown.enrollment;
    if (!shown.approval) co_return Problem(ProblemKind::conflict, request_number(row) + " is " + row.status + " and needs nobody's approval");
    const bool worded = decision.message.size() <= longest_message && is_plain(decision.message) && (decision.approve || !decision.message.empty());
    if (!worded) co_return Problem(ProblemKind::malformed, "message: one line of " + std::string(decision.approve ? "up to" : "1 to") + " 500 octets, which the requester may read");
    if (!shown.approval->asked_by.empty() && shown.approval->asked_by == called(by.actor)) {
        co_await record_self_approval(row, by, request);
        co_return Problem(ProblemKind::forbidden, by.name + " had " + request_number(row) + " asked for; somebody else decides it", "approval.other_person");
    }
    const bool open = row.status == "pending_approval" || (decision.approve && row.status == "declined");
    if (!open) co_return decided_already(shown);
    // RFC 8555 knows no way back from an invalid order; a device that asks again finds its certificate.
    if (row.status == "declined" && row.protocol == to_string(Protocol::acme))
        co_return Problem(ProblemKind::conflict, decided_already(shown).detail + ": its ACME order is invalid, which is final; the client has to make a new one", std::string(approval_decision_check));
    if (!shown.approval->due || deps_.clock.now() >= shown.approval->limit) co_return over(shown);
    if (decision.content_hash != row.content_hash)
        co_return Problem(ProblemKind::conflict, request_number(row) + " resolves to something else than you saw; look at it again", std::string(approval_content_check));
    co_return Result<void>();
}

/// R12. On record: who tries this is of interest.
Task<void> Approvals::record_self_approval(store::EnrollmentRow row, Principal by, core::RequestId request) {
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = row.tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = "request.decision_refused";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(row.id.get());
    record.outcome = AuditRecord::Outcome::refused;
    record.check = "approval.other_person";
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
}

void Approvals::announce(store::Batch& batch, std::string_view kind, const store::EnrollmentRow& row, const Decision& decision, const std::string& by, std::int64_t audit) const {
    if (!deps_.outbox.wants(kind)) return;
    json::Writer body;
    body.begin_object().member("enrollment", row.id.get()).member("request", row.request.get()).key("names").raw(row.names);
    body.member("by", by).member("message", decision.message).end_object();
    deps_.outbox.add(batch, kind, std::to_string(row.id.get()) + "." + std::to_string(audit), body.take());
}

Task<Result<void>> Approvals::record(const RequestShown& shown, Decision decision, const Principal& by, core::RequestId request) {
    const auto& row = shown.enrollment;
    const auto now = deps_.clock.now();
    const std::string_view word = decision.approve ? "approved" : "declined";
    const std::string action = "request." + std::string(word);
    AuditRecord record;
    record.at = now;
    record.tenant = row.tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = action;
    record.object_kind = "enrollment";
    record.object_id = std::to_string(row.id.get());
    json::Writer detail;
    detail.begin_object().member("was", row.status).member("contentHash", core::hex(row.content_hash)).member("message", decision.message);
    detail.key("content").raw(shown.approval->content).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);

    store::Batch batch;
    const auto due = decision.approve ? now + grace : shown.approval->limit;
    batch.add(store::approval_decided, store::values(row.id, word, called(by.actor), now, decision.message, core::BytesView(decision.content_hash), due));
    if (decision.approve) {
        batch.add(store::enrollment_approved, store::values(row.id, now, core::BytesView(decision.content_hash), row.status));
    } else {
        const Problem problem(ProblemKind::forbidden, std::string(declined_text) + ": " + decision.message, std::string(approval_decision_check));
        batch.add(store::enrollment_declined, store::values(row.id, now, problem_json(problem), core::BytesView(decision.content_hash)));
    }
    add_audit(batch, audit_id, record);
    announce(batch, action, row, decision, called(by.actor), audit_id);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) {
        // Somebody was faster, or its time ended a moment ago.
        auto reference = std::to_string(row.id.get());
        const auto now_is = co_await find_request(deps_.db, by, std::move(reference));
        if (!now_is) co_return now_is.error();
        co_return decided_already(*now_is);
    }
    (decision.approve ? approved_ : declined_).add();
    deps_.log.info("request_decided", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"decision", word}, {"by", by.name}});
    co_return Result<void>();
}

/// The work is a task of its own: an officer who leaves, or a CA that takes its time, holds nothing up.
Task<void> Approvals::issue_until(core::EnrollmentId id, core::Deadline until) {
    const core::Executor executor = co_await boost::asio::this_coro::executor;
    const auto work = std::make_shared<Work>(executor, until);
    auto task = issue_and_tell(id, work);
    if (!deps_.tasks.spawn(executor, std::move(task))) co_return;  // stopping: the next start finds it approved
    co_await work->ended.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

Task<void> Approvals::issue_and_tell(core::EnrollmentId id, std::shared_ptr<Work> work) {
    co_await issue(id);
    work->ended.cancel();
}

Task<void> Approvals::issue(core::EnrollmentId id) {
    std::string failure;
    try {
        co_await deps_.enrollment.issue_approved(id);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) deps_.log.warning("approved_not_issued", {{"enrollment", id.get()}, {"why", failure}});
}

Task<void> Approvals::lapse(core::EnrollmentId id) {
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = store::EnrollmentRow::from(found.value());
    const auto now = deps_.clock.now();
    const bool declined = row.status == "declined";
    const Problem problem(ProblemKind::forbidden, "no officer decided the request in time", std::string(approval_time_check));
    AuditRecord record;
    record.at = now;
    record.tenant = row.tenant;
    record.request = row.request;
    record.actor = Actor("system", "approval");
    record.action = "request.lapsed";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(row.id.get());
    record.outcome = AuditRecord::Outcome::refused;
    record.check = problem.check;
    json::Writer detail;
    detail.begin_object().key("names").raw(row.names).member("was", row.status).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    lease_.guard(batch);
    batch.add(store::approval_closed, store::values(id));
    release_credential(batch, id);
    if (declined) batch.add(store::enrollment_declined_unbind, store::values(id));
    else batch.add(store::enrollment_approval_ended, store::values(id, "pending_approval", "rejected", now, problem_json(problem)));
    if (!declined) add_audit(batch, audit_id, record);
    if (!declined) announce(batch, "request.lapsed", row, Decision(), called(record.actor), audit_id);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written || declined) co_return;
    lapsed_.add();
    deps_.log.info("request_lapsed", {{"request", row.request.get()}, {"enrollment", row.id.get()}});
}

Task<std::size_t> Approvals::round() {
    // A clock in doubt ends no wait.
    if (const auto agreed = deps_.clock_agreement.check(); !agreed) co_return 0;
    const bool held = co_await lease_.hold();
    if (!held) co_return 0;
    auto none = store::values();
    const auto waiting = co_await store::read_one(deps_.db, store::approval_waiting_count, std::move(none));
    waiting_.set(static_cast<double>(waiting->integer(0)));
    auto until = store::values(deps_.clock.now(), page);
    const auto rows = co_await deps_.db.read(store::approval_due, std::move(until));
    const core::Executor executor = co_await boost::asio::this_coro::executor;
    for (const auto& row : rows) {
        const auto id = row.id<core::EnrollmentId>(0);
        if (row.text(1) != "approved") co_await lapse(id);
        else deps_.tasks.spawn(executor, issue(id));
    }
    co_return rows.size();
}

Task<void> Approvals::run() {
    for (auto wait = pause;;) {
        co_await core::sleep_for(wait);
        std::string failure;
        try {
            co_await round();
        } catch (const std::exception& e) {
            failure = e.what();
        }
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        wait = failure.empty() ? pause : std::min(wait * 2, longest_pause);
        if (!failure.empty()) deps_.log.warning("approvals_wait", {{"why", failure}, {"retry_seconds", wait.count()}});
    }
}

}  // namespace postern::ra
