#include <algorithm>

#include "ca/content_json.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"

/// What became of what a foreign CA was given: whose turn it is to ask, and when nobody waits any more.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

/// How often a request is looked at that another node is handing over.
constexpr std::chrono::seconds look_again(10);
/// Of two nodes' clocks: each may be as far as that from what it is judged by, one ahead and one behind.
constexpr auto clocks_apart = 2 * ClockAgreement::tolerance;
/// As long nobody else takes up one whose backend cannot be asked.
constexpr std::chrono::minutes unasked(5);

/// 5 s, doubling to five minutes.
std::chrono::seconds pause_after(std::int64_t asked) {
    return std::min(std::chrono::seconds(5) * (std::int64_t{1} << std::min<std::int64_t>(asked, 6)), std::chrono::seconds(300));
}

/// Of a backend that cannot be asked: what its document says, the default when there is none any more.
std::chrono::milliseconds pending_limit_of(const Catalog& catalog, std::string_view backend) {
    const auto found = std::ranges::find(catalog.backends, backend, &ca::BackendDescription::name);
    return found == catalog.backends.end() ? ca::BackendDescription().pending_limit : found->pending_limit;
}

}  // namespace

/// The attempt as far as an answer needs it. What was authorised is what was recorded then, whatever profile and
/// organization say today: a certificate that exists is not undone by a change of policy.
Result<void> Enrollment::take_up_submission(Attempt& a, const store::EnrollmentRow& row, const store::SubmissionRow& submission) {
    a.request.id = row.request;
    a.request.via = protocol_from(row.protocol).value();
    a.request.endpoint = row.endpoint;
    a.request.account = row.account;
    a.request.requester = row.requester;
    a.catalog = deps_.catalog.current();
    a.endpoint = a.catalog->endpoint(row.endpoint);
    a.now = deps_.clock.now();
    a.id = row.id;
    a.backend_name = submission.backend;
    a.backend = deps_.backends.reach(submission.backend);
    a.fence = submission.fence;
    a.first_answer = submission.state != "pending";
    const auto csr = crypto::Csr::parse_kept(row.csr);
    if (!csr) return csr.error();
    auto content = ca::content_from_json(submission.content, csr->key());
    if (!content) return content.error();
    a.prepared.tbs = core::to_bytes(core::as_bytes(submission.content));
    a.authorized = ca::Authorized(row.id, row.request, row.tenant, std::move(*content), row.csr);
    if (a.backend == nullptr) return Problem(ProblemKind::unavailable, "backend " + submission.backend + " is not described now", "backend.available");
    a.foreign = a.backend->foreign();
    if (!a.foreign) return Problem(ProblemKind::internal, "backend " + submission.backend + " is not a foreign CA's");
    return {};
}

Task<Result<ca::Outcome>> Enrollment::ask_backend(Attempt& a, const store::SubmissionRow& submission) {
    ca::Submitted submitted;
    submitted.enrollment = a.id;
    submitted.request = a.request.id;
    submitted.handle = submission.handle.value_or("");
    submitted.content = submission.content;
    submitted.csr_der = a.authorized->csr_der();
    const bool poll = submission.state == "pending" && a.foreign->poll;
    if (poll) co_return co_await a.backend->poll(std::move(submitted));
    co_return co_await a.backend->find(std::move(submitted));
}

Task<void> Enrollment::ask_later(Attempt& a, const store::SubmissionRow& submission, core::TimePoint due) {
    store::Batch batch;
    if (submission.state == "pending")
        batch.add(store::submission_pending, store::values(a.id, a.fence, submission.handle, due));
    else
        batch.add(store::submission_lost, store::values(a.id, a.fence, due));
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) deps_.log.debug("submission_taken_elsewhere", {{"enrollment", a.id.get()}});
}

/// Whoever hands it over takes the answer, however late a clock thinks it is: only a life that is over has lost it. One
/// that seems to go on past all its time is a machine that stands still.
bool Enrollment::handed_over_elsewhere(const Attempt& a, const store::EnrollmentRow& row, const store::SubmissionRow& submission) const {
    if (submission.state != "sent" || !row.life || *row.life == deps_.lives.own() || deps_.lives.gone(row.life)) return false;
    const auto handing_over = a.foreign ? a.foreign->submission : std::chrono::milliseconds(unasked);
    return a.now - submission.sent <= handing_over + recording_time + clocks_apart;
}

/// Until then a program that was started elsewhere may still be at work: another machine's clock is not ours.
core::TimePoint Enrollment::surely_ended(const Attempt& a, const store::SubmissionRow& submission) const {
    const auto apart = submission.node == deps_.node ? std::chrono::milliseconds(0) : std::chrono::milliseconds(clocks_apart);
    return submission.sent + a.foreign->submission + apart;
}

Task<bool> Enrollment::ask(store::SubmissionRow submission) {
    // A clock in doubt neither ends a wait nor judges a certificate's dates.
    if (const auto agreed = deps_.clock_agreement.check(); !agreed) {
        deps_.log.debug("submission_left_unasked", {{"enrollment", submission.enrollment.get()}, {"check", agreed.error().check}});
        co_return false;
    }
    // One that this node is handing over has an outcome soon, and its own fence.
    auto hold = intents_.take(submission.enrollment);
    if (!hold) co_return false;
    hold->conclude();  // the submission's own row remembers it
    auto by_id = store::values(submission.enrollment);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = store::EnrollmentRow::from(found.value());
    Attempt a;
    const auto ready = take_up_submission(a, row, submission);
    const auto busy = ready ? a.foreign->submission + recording_time : std::chrono::milliseconds(unasked);
    if (handed_over_elsewhere(a, row, submission)) {
        store::Batch wait;
        wait.add(store::submission_postpone, store::values(submission.enrollment, submission.fence, a.now + look_again), store::Expect::any);
        const auto waits = co_await deps_.db.write(std::move(wait));
        static_cast<void>(waits);  // its fence is not touched: the answer still counts
        co_return false;
    }
    store::Batch take;
    take.add(store::submission_take, store::values(submission.enrollment, submission.fence, a.now + busy));
    const auto taken = co_await deps_.db.write(std::move(take));
    if (!taken) co_return false;
    a.fence = ++submission.fence;
    if (row.status != "submitted") {
        // Declared unknown by somebody else, as a restore does with all that was under way: an officer's.
        store::Batch hold_it;
        hold_it.add(store::submission_held, store::values(row.id, a.fence, nullptr));
        const auto held = co_await deps_.db.write(std::move(hold_it));
        deps_.log.warning("submission_held", {{"enrollment", row.id.get()}, {"status", row.status}, {"recorded", held.has_value()}});
        co_return true;
    }
    if (!ready && a.now - submission.sent > pending_limit_of(*a.catalog, submission.backend)) {
        Problem gone(ProblemKind::internal, "no outcome within its pending_limit, and nobody can be asked: " + ready.error().detail, "backend.pending");
        co_await record_unknown(a, std::move(gone));
        co_return true;
    }
    if (!ready) {
        deps_.log.warning("submission_waits", {{"enrollment", row.id.get()}, {"backend", submission.backend}, {"why", ready.error().detail}});
        co_return true;
    }
    if (submission.state == "sent") {
        // Its node ended, or could not record the answer.
        co_await record_lost(a, "whoever handed the request over ended before it was recorded");
        co_return true;
    }
    const bool askable = a.foreign->find || (submission.state == "pending" && a.foreign->poll);
    if (!askable) {
        Problem mute(ProblemKind::internal, "the backend declares no operation any more that tells what became of it", "backend.pending");
        co_await record_unknown(a, std::move(mute));
        co_return true;
    }
    auto outcome = co_await ask_backend(a, submission);
    const auto ended = surely_ended(a, submission);
    const bool early = outcome && std::holds_alternative<ca::Absent>(*outcome) && deps_.clock.now() <= ended;
    if (early) {
        co_await ask_later(a, submission, ended + std::chrono::seconds(1));
        co_return true;
    }
    // It was asked once more before nobody waits any longer: what it decided meanwhile counts.
    const bool undecided = !outcome || std::holds_alternative<ca::Pending>(*outcome);
    if (undecided && a.now - submission.sent > a.foreign->pending_limit) {
        const auto last = outcome ? std::string("it is still pending") : outcome.error().detail;
        Problem over(ProblemKind::internal, "no outcome within " + core::format_duration(a.foreign->pending_limit) + " (pending_limit), asked once more: " + last, "backend.pending");
        co_await record_unknown(a, std::move(over));
        co_return true;
    }
    if (!outcome) {
        deps_.log.warning("submission_unanswered", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"backend", submission.backend}, {"why", outcome.error().detail}});
        const auto pause = outcome.error().retry_after.value_or(pause_after(submission.asked));
        co_await ask_later(a, submission, deps_.clock.now() + pause);
        co_return true;
    }
    const auto recorded = co_await take_outcome(a, std::move(*outcome));
    static_cast<void>(recorded);  // it is in the store; nobody waits here
    co_return true;
}

}  // namespace postern::ra
