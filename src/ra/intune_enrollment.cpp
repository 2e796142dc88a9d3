#include "ra/intune_enrollment.hpp"

#include <algorithm>

#include "azure/challenge.hpp"
#include "core/async/await_until.hpp"
#include "core/async/deadline.hpp"
#include "core/async/fail_point.hpp"
#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view check_prefix = "intune.";
/// Between two looks at an earlier request of the same challenge.
constexpr std::chrono::milliseconds look_again(100);
/// Of a request whose batch somebody was faster with.
constexpr int rounds = 3;
/// How long after its time a request may still be at its revocation.
constexpr std::chrono::seconds grace(5);

/// What became of a request in the waist's batches. The waist may outlive who waits for it.
struct Course {
    std::optional<core::EnrollmentId> intent;  ///< the last one that was tried to write
    bool refused = false;                      ///< recorded, and Intune hears of it
};

}  // namespace

struct IntuneEnrollment::Attempt {
    Attempt() = default;
    IntuneRequest request;
    azure::AccountRef azure;
    core::Bytes digest;  ///< of the challenge
    std::chrono::milliseconds within{};
    core::Deadline until{};
    bool validated = false;
    azure::ActivityRef activity = azure::new_activity();  ///< of the validation
    std::shared_ptr<Course> course = std::make_shared<Course>();

    /// Intune's answer, and the end of issuing: what is left is for the notification.
    [[nodiscard]] core::Deadline validation_end() const { return core::earlier(core::deadline_in(within * 2 / 5), until); }
    [[nodiscard]] core::Deadline issue_end() const { return until - within * 2 / 5; }
    /// A last moment to revoke in.
    [[nodiscard]] core::Deadline notification_end() const { return until - within / 10; }
};

IntuneEnrollment::IntuneEnrollment(Deps deps)
    : deps_(deps), issued_(deps.metrics.counter("postern_intune_requests_total", "Requests of devices that Intune manages, by result", {{"result", "issued"}})),
      refused_(deps.metrics.counter("postern_intune_requests_total", "Requests of devices that Intune manages, by result", {{"result", "refused"}})),
      failed_(deps.metrics.counter("postern_intune_requests_total", "Requests of devices that Intune manages, by result", {{"result", "failed"}})),
      reused_(deps.metrics.counter("postern_alarms_total", "What somebody must look at", {{"alarm", "challenge_reused"}})) {}

Task<Result<IssuedCertificate>> IntuneEnrollment::enroll(IntuneRequest request) {
    const auto until = core::earlier(request.deadline, core::deadline_in(request.account.intune.answer_within));
    auto work = carry_out(std::move(request));
    auto outcome = co_await core::await_until(deps_.tasks, until, std::move(work));
    if (!outcome) co_return Problem(ProblemKind::unavailable, "the server did not come to an end in time; ask again", "intune.late");
    co_return std::move(*outcome);
}

Task<Result<IssuedCertificate>> IntuneEnrollment::carry_out(IntuneRequest request) {
    Attempt a;
    a.within = request.account.intune.answer_within;
    a.until = core::earlier(request.deadline, core::deadline_in(a.within - a.within / 20));
    const auto identity = azure::challenge_identity(request.csr->challenge_password());
    a.digest = deps_.sealer.lookup_hash("intune-challenge", identity);
    a.azure = deps_.catalog.current()->azure_account(request.account.tenant, request.account.intune.azure_account);
    a.request = std::move(request);
    if (!a.azure) {
        Problem gone(ProblemKind::unavailable, "azure_account " + a.request.account.intune.azure_account + " is not described, or disabled", "intune.account");
        co_return co_await refuse(a, std::move(gone));
    }
    for (int round = 1;; ++round) {
        auto before = co_await earlier(a);
        if (before) {
            const bool unissued = a.validated && !*before && before->error().check == single_use_check;
            if (unissued) co_await tell_unissued(a, before->error());
            co_return std::move(*before);
        }
        if (!a.validated) {
            const auto yes = co_await validate(a);
            if (!yes) co_return co_await refuse(a, yes.error());
            a.validated = true;
            co_await core::fail_point("intune_validated");
        }
        auto issued = co_await issue(a);
        if (issued) co_return co_await acknowledge(a, std::move(*issued));
        const auto& problem = issued.error();
        const bool overtaken = problem.kind == ProblemKind::conflict || problem.check == single_use_check;
        if (overtaken && round < rounds) continue;
        failed_.add();
        if (problem.check != "intune.late") co_await tell_unissued(a, problem);
        co_return problem;
    }
}

Task<Result<void>> IntuneEnrollment::validate(Attempt& a) {
    azure::ValidationRequest asked(a.request.transaction_id, a.request.csr->der());
    asked.activity = a.activity;
    const auto until = a.validation_end();
    auto said = co_await deps_.intune.validate(a.azure, std::move(asked), until);
    // What the device reads is the code alone; it names the check, too.
    if (!said && said.error().kind == ProblemKind::forbidden && said.error().check.starts_with(check_prefix)) {
        const auto& check = said.error().check;
        co_return Problem(ProblemKind::forbidden, check.substr(check_prefix.size()), check);
    }
    co_return said;
}

EnrollmentRequest IntuneEnrollment::compose(Attempt& a) const {
    EnrollmentRequest r;
    r.id = a.request.id;
    r.via = Protocol::scep;
    r.endpoint = a.request.endpoint;
    r.account = a.request.account.id;
    r.requester = a.request.transaction_id;
    r.evidence.push_back(Evidence::intune(core::hex(a.digest), "azure account " + a.azure->label() + azure::shown(a.activity), deps_.clock.now()));
    r.csr = *a.request.csr;
    r.attempt = a.request.transaction_id;
    r.origin_kind = "scep_transaction";
    r.origin_id = a.request.transaction_id;
    r.single_use = SingleUse(a.digest, deps_.clock.now() + remembered);
    r.withheld = !a.request.account.intune.deliver_first;
    r.acknowledged_within = a.within + grace;
    r.deadline = a.issue_end();
    const auto keep = [notices = &deps_.notices, azure = a.azure->id, transaction = a.request.transaction_id, csr = a.request.csr->der()](
                          store::Batch& batch, core::EnrollmentId id) { notices->keep(batch, id, azure, transaction, csr); };
    const auto course = a.course;
    r.claim = [keep, course](store::Batch& batch, core::EnrollmentId id) {
        course->intent = id;
        keep(batch, id);
    };
    r.refused = [keep, course, outbox = &deps_.outbox](store::Batch& batch, core::EnrollmentId id, const Problem& problem) {
        if (problem.check == single_use_check) return;  // another request of this challenge may end well
        course->refused = true;
        keep(batch, id);
        outbox->add(batch, intune_failure_kind, std::to_string(id.get()), intune_message(id, problem.detail));
    };
    return r;
}

Task<Result<IssuedCertificate>> IntuneEnrollment::issue(Attempt& a) {
    auto wish = compose(a);
    const auto until = a.issue_end();
    auto submission = deps_.enrollment.submit(std::move(wish));
    auto outcome = co_await core::await_until(deps_.tasks, until, std::move(submission));
    if (!outcome) co_return Problem(ProblemKind::unavailable, "the certificate was not ready in time; ask again", "intune.late");
    if (!*outcome) co_return outcome->error();
    if (std::holds_alternative<PendingEnrollment>(**outcome)) co_return Problem(ProblemKind::conflict, "an earlier request of the same kind is being worked on");
    co_return std::get<IssuedCertificate>(std::move(**outcome));
}

Task<Result<IssuedCertificate>> IntuneEnrollment::acknowledge(Attempt& a, IssuedCertificate issued) {
    const bool first = a.request.account.intune.deliver_first;
    Result<void> told;
    if (!first) {
        const auto until = a.notification_end();
        auto telling = deps_.notices.tell_success(issued.enrollment, IntuneNotices::By::request, until);
        told = co_await std::move(telling);
    }
    if (told) {
        issued_.add();
        co_return issued;
    }
    // The outbox was faster, or an officer.
    if (told.error().kind == ProblemKind::conflict) co_return co_await stored(issued.enrollment);
    deps_.log.error("intune_not_notified", {{"request", a.request.id.get()}, {"enrollment", issued.enrollment.get()}, {"transaction", a.request.transaction_id},
                                            {"check", told.error().check}, {"why", told.error().detail}});
    auto why = told.error().detail;
    const auto ended = co_await deps_.notices.give_up(issued.enrollment, IntuneNotices::By::request, std::move(why), a.until);
    failed_.add();
    if (!ended) co_return Problem(ProblemKind::unavailable, "Intune could not be told of the certificate, and it is withheld; ask again later", "intune.notification");
    co_return Problem(ProblemKind::unavailable, "Intune could not be told of the certificate, so it was revoked; a new challenge is needed", "intune.notification");
}

Task<std::optional<Result<IssuedCertificate>>> IntuneEnrollment::earlier(Attempt& a) {
    const auto scope = counted_at(*deps_.catalog.current(), a.request.endpoint, true);
    auto by_digest = store::values(scope, a.digest);
    const auto found = co_await store::read_one(deps_.db, store::credential_use_find, std::move(by_digest));
    if (!found) co_return std::nullopt;
    const auto use = store::CredentialUseRow::from(*found);
    if (!std::ranges::equal(use.spki_sha256, a.request.csr->key().spki_sha256())) {
        reused_.add();
        deps_.log.error("challenge_reused", {{"alarm", "challenge_reused"}, {"request", a.request.id.get()}, {"account", a.request.account.name},
                                             {"transaction", a.request.transaction_id}, {"used_by", use.enrollment.get()}, {"state", use.state}});
        Problem used(ProblemKind::forbidden, "the challenge was used before, by another key", std::string(single_use_check));
        co_return co_await refuse(a, std::move(used));
    }
    for (;;) {
        auto by_id = store::values(use.enrollment);
        const auto read = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
        const auto row = store::EnrollmentRow::from(read.value());
        if (row.endpoint != a.request.endpoint) {
            Problem elsewhere(ProblemKind::forbidden, "the challenge was used before, at another endpoint", std::string(single_use_check));
            co_return co_await refuse(a, std::move(elsewhere));
        }
        const bool underway = row.status == "submitted" || (row.status == "issued" && row.withheld);
        if (row.status == "invalid") co_return std::nullopt;  // it gave the challenge back
        if (!underway) {
            auto answer = co_await stored(use.enrollment);
            if (answer) co_return answer;
            co_return co_await refuse(a, answer.error());
        }
        if (std::chrono::steady_clock::now() + look_again >= a.until)
            co_return Result<IssuedCertificate>(Problem(ProblemKind::unavailable, "an earlier request with this challenge is still being worked on; ask again", "intune.underway"));
        co_await core::sleep_for(look_again);
    }
}

/// The certificate of an enrollment that somebody else may have ended.
Task<Result<IssuedCertificate>> IntuneEnrollment::stored(core::EnrollmentId id) {
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = store::EnrollmentRow::from(found.value());
    if (row.status == "revoked") co_return Problem(ProblemKind::forbidden, "the certificate of this challenge was revoked; a new challenge is needed", "intune.revoked");
    if (row.status != "issued" || row.withheld) co_return Problem(ProblemKind::forbidden, "the request of this challenge is " + row.status + "; a new challenge is needed", "intune.ended");
    auto by_enrollment = store::values(id);
    const auto read = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(by_enrollment));
    auto certificate = store::CertificateRow::from(read.value());
    if (certificate.not_after <= deps_.clock.now())
        co_return Problem(ProblemKind::forbidden, "the certificate of this challenge has expired; a new challenge is needed", "intune.ended");
    IssuedCertificate out;
    out.enrollment = id;
    out.certificate = certificate.id;
    out.token = std::move(certificate.token);
    out.der = std::move(certificate.der);
    out.issuer_key_id = std::move(certificate.issuer_key_id);
    issued_.add();
    co_return out;
}

/// Recorded as the waist's refusals of strangers are, for nobody vouched for this one: `postern explain` shows what Intune said.
Task<void> IntuneEnrollment::record(const Attempt& a, Problem problem, RefusalBudget::LeftOut left_out) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    Trace trace;
    trace.add(TraceEntry("intune.validate", "transaction " + a.request.transaction_id + (a.azure ? " by azure account " + a.azure->label() : std::string()) + azure::shown(a.activity),
                         Verdict::refuse, problem.check + ": " + problem.detail));
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = a.request.account.tenant;
    record.request = a.request.id;
    record.actor = Actor("scep", a.request.transaction_id);
    record.action = "enrollment.refused";
    record.object_kind = "scep_transaction";
    record.object_id = a.request.transaction_id;
    record.outcome = AuditRecord::Outcome::refused;
    record.check = problem.check;
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem)).key("trace").raw(trace.to_json());
    add_left_out(detail, left_out);
    detail.end_object();
    record.detail = detail.take();
    store::Batch batch;
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
}

Task<Result<IssuedCertificate>> IntuneEnrollment::refuse(Attempt& a, Problem problem) {
    const auto left_out = deps_.refusals.admit(Refusals::Shown::sealed, a.request.source);
    if (left_out) co_await record(a, problem, *left_out);
    refused_.add();
    deps_.log.warning("intune_refused", {{"request", a.request.id.get()}, {"account", a.request.account.name}, {"transaction", a.request.transaction_id},
                                         {"check", problem.check}, {"why", problem.detail}, {"recorded", left_out.has_value()}});
    // What is wrong between us and Microsoft is no device's business.
    if (problem.kind == ProblemKind::unavailable || problem.kind == ProblemKind::incorrect_response)
        co_return Problem(ProblemKind::unavailable, "Intune did not answer; ask again later", problem.check);
    co_return problem;
}

Task<void> IntuneEnrollment::tell_unissued(Attempt& a, Problem problem) {
    if (a.course->refused) co_return;
    if (a.course->intent) {
        auto key = store::values(*a.course->intent);
        const auto kept = co_await store::read_one(deps_.db, store::intune_request_find, std::move(key));
        if (kept) co_return;  // it was written, and whoever ends it tells
    }
    const auto number = co_await deps_.numbers.next(store::Series::enrollment);
    const core::EnrollmentId id(number);
    store::Batch batch;
    deps_.notices.keep(batch, id, a.azure->id, a.request.transaction_id, a.request.csr->der());
    deps_.outbox.add(batch, intune_failure_kind, std::to_string(number), intune_message(id, problem.detail));
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // it expects nothing that could miss
}

}  // namespace postern::ra
