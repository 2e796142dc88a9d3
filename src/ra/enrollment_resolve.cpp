#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"
#include "store/tables/acme_order.hpp"

/// What an officer found out about a request that nobody can settle otherwise.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::size_t longest_why = 500;

AuditRecord resolution_record(const store::EnrollmentRow& row, const Principal& by, core::RequestId request, core::TimePoint now) {
    AuditRecord record;
    record.at = now;
    record.tenant = row.tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = "request.resolved";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(row.id.get());
    return record;
}

/// The signature of our own CA may exist: its serial is listed, as after a crash.
void void_serial(store::Batch& batch, ca::Backend& backend, const store::EnrollmentRow& row, core::TimePoint now) {
    ca::Revoked voided;
    voided.issuer_key_id = row.issuer_key_id;
    voided.serial = row.serial;
    voided.at = now;
    voided.not_after = row.not_after;
    backend.record_revocation(batch, voided);
}

Problem lost_race() { return {ProblemKind::conflict, "somebody else resolved the request meanwhile"}; }

/// Nobody gets it, so it is no outcome of the request.
Problem undeliverable(const std::string& why) {
    return {ProblemKind::conflict, why + "; have the CA revoke that certificate, then resolve the request as not issued", "key.blocked"};
}

}  // namespace

Task<Result<void>> Enrollment::resolve(core::EnrollmentId id, Resolution resolution, Principal by, core::RequestId request) {
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = found ? store::EnrollmentRow::from(*found) : store::EnrollmentRow();
    if (!found || (by.tenant && *by.tenant != row.tenant)) co_return Problem(ProblemKind::not_found, "there is no request " + std::to_string(id.get()));
    if (row.status != "unknown" && row.status != "quarantined")
        co_return Problem(ProblemKind::conflict, "request " + std::to_string(id.get()) + " is " + row.status + " and waits for nobody");
    if (resolution.why.empty() || resolution.why.size() > longest_why)
        co_return Problem(ProblemKind::malformed, "why: say in 1 to 500 octets how it is known; it is audited");
    auto of_enrollment = store::values(id);
    const auto held = co_await store::read_one(deps_.db, store::submission_by_enrollment, std::move(of_enrollment));
    if (resolution.certificate.empty()) {
        const auto fence = held ? std::optional(store::SubmissionRow::from(*held).fence) : std::nullopt;
        co_return co_await resolve_absent(row, fence, std::move(resolution), std::move(by), std::move(request));
    }
    if (!held)
        co_return Problem(ProblemKind::unsupported, "the built-in CA's certificate is not the one that was recorded before it was signed: it can only be given up (not issued)");
    auto submission = store::SubmissionRow::from(*held);
    co_return co_await resolve_issued(row, std::move(submission), std::move(resolution), std::move(by), std::move(request));
}

Task<Result<void>> Enrollment::resolve_issued(store::EnrollmentRow row, store::SubmissionRow submission, Resolution resolution, Principal by,
                                              core::RequestId request) {
    Attempt a;
    if (const auto ready = take_up_submission(a, row, submission); !ready) co_return ready.error();
    ca::Issued issued;
    issued.received = std::move(resolution.certificate);
    auto checked = a.backend->check(issued, a.authorized->content(), a.prepared);
    if (!checked) co_return Problem(ProblemKind::malformed, "the certificate is not what was authorised: " + checked.error().detail, checked.error().check);
    const JudgedKeys keys(a.authorized->content().key);
    const auto block = co_await find_block(deps_.db, keys);
    if (block) co_return undeliverable(block_text(*block));
    const auto number = co_await deps_.numbers.next(store::Series::certificate);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto certificate = certificate_row(a, *checked, number);
    auto record = resolution_record(row, by, std::move(request), certificate.created);
    json::Writer detail;
    detail.begin_object().member("was", row.status).member("found", "issued").member("why", resolution.why);
    detail.member("serial", core::hex(certificate.serial)).member("certificate", number).end_object();
    record.detail = detail.take();
    store::Batch batch;
    batch.add(store::submission_delete, store::values(row.id, submission.fence));
    guard_unblocked(batch, keys);
    batch.add(store::issuer_chain_set, store::values(certificate.backend, certificate.issuer_key_id, checked->chain, certificate.created), store::Expect::any);
    batch.add(store::certificate_insert, certificate.insert_values());
    batch.add(store::enrollment_found_issued, store::values(row.id, certificate.created));
    if (a.takes_credentials()) consume_credential(batch, row.id, false);
    add_audit(batch, audit_id, record);
    announce(batch, a, certificate);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written && written.error().statement == &store::certificate_insert)
        co_return Problem(ProblemKind::malformed, "a certificate of that issuer with serial " + core::hex(certificate.serial) + " belongs to another request", "issued.serial");
    if (!written && written.error().statement == &store::blocked_key_none) co_return undeliverable("the key was blocked a moment ago");
    if (!written) co_return lost_race();
    issued_.add();
    deps_.log.warning("request_resolved", {{"enrollment", row.id.get()}, {"found", "issued"}, {"by", by.name}});
    co_return Result<void>();
}

Task<Result<void>> Enrollment::resolve_absent(store::EnrollmentRow row, std::optional<std::int64_t> fence, Resolution resolution, Principal by,
                                              core::RequestId request) {
    const auto now = deps_.clock.now();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const Problem problem(ProblemKind::unavailable, "an officer found that no certificate was issued for this request; make a new order", "backend.resolution");
    auto record = resolution_record(row, by, std::move(request), now);
    json::Writer detail;
    detail.begin_object().member("was", row.status).member("found", "not issued").member("again", resolution.again).member("why", resolution.why).end_object();
    record.detail = detail.take();
    store::Batch batch;
    if (fence) batch.add(store::submission_delete, store::values(row.id, *fence));
    batch.add(store::enrollment_found_absent, store::values(row.id, now, problem_json(problem)));
    release_credential(batch, row.id);
    if (auto* backend = deps_.backends.find(row.backend); backend != nullptr && !row.serial.empty()) void_serial(batch, *backend, row, now);
    if (resolution.again) batch.add(store::acme_order_release_claim, store::values(row.id, now), store::Expect::any);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return lost_race();
    deps_.log.warning("request_resolved", {{"enrollment", row.id.get()}, {"found", "not issued"}, {"again", resolution.again}, {"by", by.name}});
    co_return Result<void>();
}

}  // namespace postern::ra
