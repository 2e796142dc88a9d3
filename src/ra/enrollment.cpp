#include "ra/enrollment.hpp"

#include "core/async/fail_point.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"
#include "ra/approvals.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/intune_notices.hpp"
#include "ra/profile_pauses.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/requester.hpp"
#include "store/tables/succession.hpp"

/// One issuance, in the order of design §4. docs/architecture.md walks through it by these names.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view alarms_total = "postern_alarms_total", alarms_help = "What somebody must look at";

}  // namespace

Enrollment::Enrollment(Deps deps)
    : deps_(deps),
      issued_(deps.metrics.counter("postern_enrollments_total", "Enrollments by result", {{"result", "issued"}})),
      refused_(deps.metrics.counter("postern_enrollments_total", "Enrollments by result", {{"result", "refused"}})),
      failed_(deps.metrics.counter("postern_enrollments_total", "Enrollments by result", {{"result", "failed"}})),
      paused_(deps.metrics.counter("postern_profiles_paused_total", "Profiles paused because a lint refused their own content")),
      approvals_void_(deps.metrics.counter(approvals_total, approvals_help, {{"result", "void"}})),
      alarm_quarantined_(deps.metrics.counter(alarms_total, alarms_help, {{"alarm", "quarantined"}})),
      alarm_unknown_(deps.metrics.counter(alarms_total, alarms_help, {{"alarm", "unknown"}})),
      alarm_late_(deps.metrics.counter(alarms_total, alarms_help, {{"alarm", "late_answer"}})),
      challenge_reused_(deps.metrics.counter(alarms_total, alarms_help, {{"alarm", "challenge_reused"}})) {}
Enrollment::~Enrollment() = default;

Result<void> Enrollment::gate_open() const {
    if (const auto reason = deps_.gate.shut_by()) return reason->problem();
    return {};
}

Task<Result<EnrollmentOutcome>> Enrollment::submit(EnrollmentRequest request) {
    if (!request.csr) throw std::logic_error("an enrollment request without a CSR");
    if (request.refused && !request.source.empty()) throw std::logic_error("a refusal that somebody must hear of, of anybody");
    // Nothing at all is stored at a time that is in doubt, not even the refusal.
    if (auto agreed = deps_.clock_agreement.check(); !agreed) {
        refused_.add();
        deps_.log.warning("enrollment_refused", {{"request", request.id.get()}, {"check", agreed.error().check}, {"recorded", false}});
        co_return agreed.error();
    }
    Attempt attempt;
    attempt.request = std::move(request);
    attempt.catalog = deps_.catalog.current();
    attempt.now = deps_.clock.now();
    // Taken once: an attempt that is submitted anew looks again.
    attempt.account = std::exchange(attempt.request.account_read, std::nullopt);
    if (!attempt.account) attempt.account = co_await find_account(deps_.db, attempt.request.account);
    auto keys = attempt.keys();
    attempt.key_block = co_await find_block(deps_.db, std::move(keys));
    attempt.wished_from = attempt.request.not_before;
    attempt.wished_until = attempt.request.not_after;
    const auto number = co_await deps_.numbers.next(store::Series::enrollment);
    attempt.id = core::EnrollmentId(number);

    const auto leave = co_await decide_and_prepare(attempt);
    if (!leave) {
        co_await audit_refusal(attempt, leave.error());
        if (attempt.profile && pauses_profile(leave.error())) co_await pause_profile(attempt, leave.error());
        co_return leave.error();
    }
    // From here on the enrollment has an outcome, or the sweeper gives it one: whatever throws below
    // (a commit of which nobody knows whether it happened, too) leaves the hold unconcluded.
    auto hold = intents_.begin(attempt.id);
    const bool waits = attempt.trace.needs_approval() != nullptr;
    auto recording = waits ? record_awaiting(attempt) : record_intent(attempt);
    const auto intent = co_await std::move(recording);
    const bool bound_before = intent && *intent == Recorded::before;
    if (!intent || bound_before || waits) hold.conclude();
    if (!intent) {
        if (intent.error().check == single_use_check) co_await audit_refusal(attempt, intent.error());
        co_return intent.error();
    }
    if (bound_before) {
        const bool over = co_await end_binding(attempt);
        if (over) co_return co_await submit(std::move(attempt.request));
        co_return co_await repeat(attempt.attempt_key);
    }
    if (waits) co_return EnrollmentOutcome(waiting_for_officer(attempt.id));
    co_await core::fail_point("intent_committed");

    auto outcome = co_await sign_and_record(attempt);
    // After a conflict the sweeper looks whether somebody else really settled it.
    if (outcome || outcome.error().kind != ProblemKind::conflict) hold.conclude();
    co_return outcome;
}

Task<Result<void>> Enrollment::decide_and_prepare(Attempt& a) {
    auto leave = authorise(a);
    if (!leave) co_return leave;
    leave = co_await check_caa(a);
    if (!leave) co_return leave;
    leave = judge_anew(a);
    if (!leave) co_return leave;
    co_await core::fail_point("authorised");
    leave = prepare(a);
    if (leave) co_await core::fail_point("linted");
    co_return leave;
}

/// CAA look-ups take their time: what was decided before them is decided again if the configuration is another one by now.
/// A profile that changed may ask other things of owners.
Result<void> Enrollment::judge_anew(Attempt& a) {
    auto current = deps_.catalog.current();
    if (current->version == a.catalog->version) return {};
    const auto asked = std::make_pair(a.profile->id, a.profile->version);
    a.catalog = std::move(current);
    auto leave = authorise(a);
    if (leave && std::make_pair(a.profile->id, a.profile->version) != asked)
        return Problem(ProblemKind::unavailable, "the profile changed while the request was judged; ask again", "profile.allowed");
    return leave;
}

Result<void> Enrollment::authorise(Attempt& a) {
    const auto& catalog = *a.catalog;
    a.endpoint = catalog.endpoint(a.request.endpoint);
    a.tenant = a.endpoint ? catalog.tenant(a.endpoint->tenant) : nullptr;
    a.profile = choose_profile(a.request, catalog, a.endpoint, a.account ? &*a.account : nullptr);

    PolicyInput input{a.request, catalog, deps_.backends, a.tenant, a.endpoint, a.account ? &*a.account : nullptr,
                      a.profile, a.now,   {},             {},   deps_.gate.shut_by()};
    input.key_block = a.key_block ? &*a.key_block : nullptr;
    input.requester_stands = a.requester_stands;
    fill_names(input);
    if (auto r = decide(input, a.trace); !r) return r;
    a.backend_name = a.profile->backend;
    a.backend = deps_.backends.find(a.backend_name);
    // Described ones come and go: the check saw it a moment ago.
    if (a.backend == nullptr) return Problem(ProblemKind::unavailable, "the CA backend was withdrawn meanwhile", "profile.backend");
    a.foreign = a.backend->foreign();
    a.attempt_key = attempt_key(a.request, input.names);
    a.authorized = ca::Authorized(a.id, a.request.id, a.tenant->id, resolve_content(input), a.request.csr->der());
    return {};
}

Result<void> Enrollment::prepare(Attempt& a) {
    auto prepared = a.backend->prepare(*a.authorized);
    if (!prepared) {
        auto problem = prepared.error();
        a.trace.add(TraceEntry("content.lint", a.profile->backend, Verdict::refuse, problem.detail));
        if (problem.check.empty()) problem.check = "content.lint";
        return problem;
    }
    a.trace.add(TraceEntry("content.lint", a.profile->backend, Verdict::pass, {}));
    a.prepared = std::move(*prepared);
    return {};
}

store::EnrollmentRow Enrollment::enrollment_row(const Attempt& a, std::string status) const {
    const auto& content = a.authorized->content();
    const auto spki = content.key.spki_sha256();
    store::EnrollmentRow row;
    row.id = a.id;
    row.request = a.request.id;
    row.tenant = a.tenant->id;
    row.organization = a.account->organization;
    row.department = a.account->department;
    row.endpoint = a.endpoint->id;
    row.account = a.account->id;
    row.profile = a.profile->id;
    row.profile_version = a.profile->version;
    row.protocol = to_string(a.request.via);
    row.requester = a.request.requester;
    row.status = std::move(status);
    row.attempt_key = a.attempt_key;
    row.names = names_json(content.names);
    row.spki_sha256 = {spki.begin(), spki.end()};
    row.csr = a.request.csr->kept();
    row.content_hash = a.resolved_hash();
    row.evidence = to_json(a.request.evidence);
    row.backend = a.backend_name;
    row.withheld = a.request.withheld;
    row.not_before = content.not_before;
    row.not_after = content.not_after;
    row.created = row.updated = a.now;
    row.life = deps_.lives.own();
    return row;
}

Task<Result<Enrollment::Recorded>> Enrollment::record_intent(Attempt& a) {
    const auto tbs = crypto::sha256(a.prepared.tbs);
    auto row = enrollment_row(a, "submitted");
    row.issuer_key_id = a.prepared.issuer_key_id;
    row.serial = a.prepared.serial;
    row.tbs_sha256 = {tbs.begin(), tbs.end()};

    auto record = a.audit("enrollment.intent", AuditRecord::Outcome::done);
    json::Writer detail;
    detail.begin_object().key("names").raw(row.names).member("serial", core::hex(row.serial)).key("trace").raw(a.trace.to_json()).end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);

    store::Batch batch;
    a.guard_configuration(batch);
    guard_unblocked(batch, a.keys());
    batch.add(store::enrollment_insert, row.insert_values());
    index_names(batch, a.id, a.request.via, a.authorized->content().names);
    if (a.request.single_use) reserve_credential(batch, *a.request.single_use, a.counted_at(), row.spki_sha256, a.id);
    if (a.foreign) begin_submission(batch, a);
    if (a.request.claim) a.request.claim(batch, a.id);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (written) co_return Recorded::now;

    co_return co_await unrecorded(a, written.error());
}

Task<Result<Enrollment::Recorded>> Enrollment::unrecorded(Attempt& a, store::Conflict conflict) {
    if (conflict.statement == &store::enrollment_insert) co_return Recorded::before;
    if (conflict.statement == &store::credential_use_reserve) co_return co_await refuse_used_credential(a);
    std::string why = "somebody else finished this first";
    if (conflict.statement == &store::enrollment_guard) why = "the configuration changed while the request was judged; ask again";
    if (conflict.statement == &store::succession_stands) why = "the issuing CA was withdrawn while the request was judged; ask again";
    if (conflict.statement == &store::blocked_key_none) why = "the key was blocked while the request was judged";
    co_return Problem(ProblemKind::conflict, std::move(why));
}

Task<Result<EnrollmentOutcome>> Enrollment::sign_and_record(Attempt& a) {
    co_await core::fail_point("sent");
    auto outcome = co_await a.backend->issue(*a.authorized, a.prepared, a.request.deadline);
    co_await core::fail_point("signed");
    const bool unavailable = !outcome && outcome.error().kind == ProblemKind::unavailable;
    if (unavailable && a.approved_until) co_return co_await record_approved_still(a, outcome.error());
    if (unavailable) co_return co_await record_failure(a, outcome.error(), true);
    if (!a.foreign) {
        if (!outcome) co_return co_await record_failure(a, outcome.error(), false);
        co_return co_await take_outcome(a, std::move(*outcome));
    }
    ca::Outcome answer = outcome ? std::move(*outcome) : ca::Outcome(ca::Lost(outcome.error().detail));
    co_return co_await keep_outcome(a, std::move(answer));
}

Task<Result<EnrollmentOutcome>> Enrollment::take_outcome(Attempt& a, ca::Outcome outcome) {
    if (auto* pending = std::get_if<ca::Pending>(&outcome)) co_return co_await record_pending(a, std::move(*pending));
    if (auto* refused = std::get_if<ca::Refused>(&outcome)) co_return co_await record_rejection(a, std::move(*refused));
    if (auto* lost = std::get_if<ca::Lost>(&outcome)) co_return co_await record_lost(a, std::move(lost->why));
    if (std::holds_alternative<ca::Absent>(outcome)) co_return co_await record_absent(a);
    auto issued = std::get<ca::Issued>(std::move(outcome));
    auto checked = a.backend->check(issued, a.authorized->content(), a.prepared);
    if (!checked) co_return co_await quarantine(a, checked.error(), std::move(issued));
    if (a.foreign) {  // days may have passed since the key was judged
        const JudgedKeys keys(a.authorized->content().key);
        const auto block = co_await find_block(deps_.db, keys);
        if (block) {
            auto blocked = blocked_meanwhile(block_text(*block));
            co_return co_await quarantine(a, std::move(blocked), std::move(issued));
        }
    }
    co_await core::fail_point("checked");
    co_return co_await record_outcome(a, std::move(*checked), std::move(issued.received));
}

store::CertificateRow Enrollment::certificate_row(const Attempt& a, const ca::Checked& checked, std::int64_t number) const {
    const auto& content = a.authorized->content();
    const auto& leaf = checked.certificate;
    const auto digest = crypto::sha256(leaf.der());
    const auto spki = content.key.spki_sha256();
    store::CertificateRow row;
    row.id = core::CertificateId(number);
    row.token = deps_.random.token();
    row.enrollment = a.id;
    row.tenant = a.authorized->tenant();
    row.endpoint = a.request.endpoint;
    row.account = a.request.account;
    row.backend = a.backend_name;
    row.issuer_key_id = checked.issuer_key_id;
    row.serial = leaf.serial();
    row.sha256 = {digest.begin(), digest.end()};
    row.spki_sha256 = {spki.begin(), spki.end()};
    row.subject = leaf.subject().to_text();
    row.names = names_json(leaf.alt_names());
    row.status = "issued";
    row.not_before = leaf.not_before();
    row.not_after = leaf.not_after();
    row.der = leaf.der();
    row.created = deps_.clock.now();
    return row;
}

Task<Result<EnrollmentOutcome>> Enrollment::record_outcome(Attempt& a, ca::Checked checked, std::string received) {
    const auto number = co_await deps_.numbers.next(store::Series::certificate);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto row = certificate_row(a, checked, number);

    auto record = a.audit("enrollment.issued", AuditRecord::Outcome::done);
    record.at = row.created;
    json::Writer detail;
    detail.begin_object().member("serial", core::hex(row.serial)).member("certificate", number).member("sha256", core::hex(row.sha256)).end_object();
    record.detail = detail.take();

    store::Batch batch;
    if (a.foreign) {
        batch.add(store::submission_delete, store::values(a.id, a.fence));
        guard_unblocked(batch, JudgedKeys(a.authorized->content().key));
        batch.add(store::issuer_chain_set, store::values(row.backend, row.issuer_key_id, checked.chain, row.created), store::Expect::any);
    }
    batch.add(store::certificate_insert, row.insert_values());
    batch.add(store::enrollment_issued, store::values(a.id, row.created, a.prepared.serial));
    if (a.takes_credentials()) consume_credential(batch, a.id, a.request.single_use.has_value());
    for (const auto& e : a.request.evidence)
        if (const auto* keeps = e.requester.empty() ? nullptr : store::requester(e.requester).succeeded) batch.add(*keeps, store::values(e.row, row.id), store::Expect::any);
    add_audit(batch, audit_id, record);
    announce(batch, a, row);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written && a.foreign) co_return co_await record_unplaced(a, written.error(), std::move(row), std::move(received));
    if (!written)  // the sweeper of another node settled this intent meanwhile; its record counts
        co_return Problem(ProblemKind::conflict, "the enrollment was settled elsewhere; ask for its state");
    co_await core::fail_point("outcome_committed");
    issued_.add();
    deps_.log.info("enrollment_issued", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"serial", core::hex(row.serial)}, {"names", row.names}});

    IssuedCertificate out;
    out.enrollment = a.id;
    out.certificate = row.id;
    out.token = std::move(row.token);
    out.der = std::move(row.der);
    out.issuer_key_id = std::move(row.issuer_key_id);
    co_return EnrollmentOutcome(std::move(out));
}

void Enrollment::announce(store::Batch& batch, const Attempt& a, const store::CertificateRow& row) const {
    // Whoever handed the request in tells Intune first, while the device waits.
    if (vouched_by_intune(a.request.evidence)) {
        const auto due = row.created + (a.request.withheld ? a.request.acknowledged_within : std::chrono::milliseconds(0));
        deps_.outbox.add_later(batch, intune_success_kind, std::to_string(a.id.get()), intune_message(a.id, {}), due);
    }
    constexpr std::string_view kind = "certificate.issued";
    if (!deps_.outbox.wants(kind)) return;
    json::Writer body;
    body.begin_object().member("certificate", row.id.get()).member("enrollment", a.id.get());
    body.member("request", a.request.id.get()).member("serial", core::hex(row.serial));
    body.member("sha256", core::hex(row.sha256)).key("names").raw(row.names).end_object();
    deps_.outbox.add(batch, kind, std::to_string(row.id.get()), body.take());
}

void Enrollment::announce_failure(store::Batch& batch, const Attempt& a, const Problem& problem) const {
    if (!vouched_by_intune(a.request.evidence)) return;
    deps_.outbox.add(batch, intune_failure_kind, std::to_string(a.id.get()), intune_message(a.id, problem.detail));
}

/// After an intent, a failure is an outcome too. Where a signature may exist, its serial is listed
/// as revoked; where surely none does, the claim is taken back and the client may ask again.
Task<Result<EnrollmentOutcome>> Enrollment::record_failure(Attempt& a, Problem problem, bool surely_unsigned) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto now = deps_.clock.now();
    auto record = a.audit("enrollment.failed", AuditRecord::Outcome::failed);
    record.at = now;
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem)).member("signed", surely_unsigned ? "no" : "perhaps");
    if (!a.request.origin_id.empty()) detail.member("for", a.request.origin_kind + " " + a.request.origin_id);  // a claim taken back leaves no other trace
    detail.end_object();
    record.detail = detail.take();

    store::Batch batch;
    batch.add(store::enrollment_invalid, store::values(a.id, now, problem_json(problem), a.prepared.serial));
    if (a.foreign) batch.add(store::submission_delete, store::values(a.id, a.fence));
    if (surely_unsigned && a.request.release) a.request.release(batch, a.id);
    if (a.takes_credentials()) release_credential(batch, a.id);
    if (!surely_unsigned && !a.prepared.serial.empty()) {
        ca::Revoked voided;
        voided.issuer_key_id = a.prepared.issuer_key_id;
        voided.serial = a.prepared.serial;
        voided.at = now;
        voided.not_after = a.authorized->content().not_after;
        a.backend->record_revocation(batch, voided);
    }
    announce_failure(batch, a, problem);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) deps_.log.error("enrollment_failure_unrecorded", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}});
    failed_.add();
    deps_.log.error("enrollment_failed", {{"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"why", problem.detail}});
    co_return problem;
}

/// What came back is not what was authorised (X16): kept for an officer, never given out.
Task<Result<EnrollmentOutcome>> Enrollment::quarantine(Attempt& a, Problem problem, ca::Issued issued) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto now = deps_.clock.now();
    auto record = a.audit("enrollment.quarantined", AuditRecord::Outcome::failed);
    record.at = now;
    record.check = problem.check;
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem));
    detail.member("received", a.foreign ? issued.received : core::base64(issued.certificate)).end_object();
    record.detail = detail.take();
    store::Batch batch;
    if (a.foreign) batch.add(store::submission_held, store::values(a.id, a.fence, issued.received));
    batch.add(store::enrollment_quarantined, store::values(a.id, now, problem_json(problem), a.prepared.serial));
    announce_failure(batch, a, problem);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    failed_.add();
    alarm_quarantined_.add();
    deps_.log.error("enrollment_quarantined", {{"alarm", "quarantined"}, {"request", a.request.id.get()}, {"enrollment", a.id.get()}, {"backend", a.backend_name}, {"check", problem.check}, {"why", problem.detail}, {"recorded", written.has_value()}});
    co_return Problem(ProblemKind::internal, "the CA's answer was not what had been authorised; it is kept for an officer");
}

}  // namespace postern::ra
