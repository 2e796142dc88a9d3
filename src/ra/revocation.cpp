#include "ra/revocation.hpp"

#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "ra/blocked_keys.hpp"
#include "store/tables/enrollment.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;

namespace {

std::string told(const store::CertificateRow& certificate, std::int64_t reason, bool blocked) {
    json::Writer detail;
    detail.begin_object().member("serial", core::hex(certificate.serial)).member("reason", reason);
    if (blocked) detail.member("key_blocked", true);
    detail.end_object();
    return detail.take();
}

Problem revoked_already(const store::CertificateRow& certificate) {
    return Problem(ProblemKind::already_revoked, "certificate " + core::hex(certificate.serial) + " is revoked already");
}

AuditRecord record_of(const store::CertificateRow& certificate, std::string_view action, core::TimePoint now, Actor actor, core::RequestId request) {
    AuditRecord record;
    record.at = now;
    record.tenant = certificate.tenant;
    record.request = std::move(request);
    record.actor = std::move(actor);
    record.action = action;
    record.object_kind = "enrollment";
    record.object_id = std::to_string(certificate.enrollment.get());
    return record;
}

}  // namespace

bool may_block_key(const Actor& actor) noexcept { return actor.kind != "acme_account"; }

bool revocation_reason_allowed(std::int64_t reason) noexcept {
    return reason == 0 || reason == 1 || reason == 3 || reason == 4 || reason == 5;
}

core::Task<core::Result<void>> Revocation::revoke_with(store::CertificateRow certificate, std::int64_t reason, Actor actor,
                                                       core::RequestId request, core::Deadline deadline, store::Batch more) {
    if (!revocation_reason_allowed(reason))
        co_return Problem(ProblemKind::bad_revocation_reason,
                          "revocation reason " + std::to_string(reason) + " is not accepted; use 0, 1, 3, 4 or 5");
    auto* backend = deps_.backends.reach(certificate.backend);
    // Only a foreign one goes: what is wanted of it is kept until it can be asked again.
    const bool foreign = backend == nullptr || backend->foreign();
    const bool publishes = backend == nullptr || backend->capabilities().revoke;
    if (foreign && certificate.status != "revoked") {
        if (publishes) co_return co_await revoke_at_foreign(std::move(certificate), reason, std::move(actor), std::move(request), deadline);
        co_return co_await revoke_locally(std::move(certificate), reason, std::move(actor), std::move(request), store::Batch());
    }
    if (foreign) co_return co_await record_or_block(std::move(certificate), reason, std::move(actor), std::move(request), store::Batch());  // already_revoked
    if (!publishes) co_return Problem(ProblemKind::unsupported, "backend " + certificate.backend + " cannot revoke");
    store::Batch entry;
    ca::Revoked revoked;
    revoked.issuer_key_id = certificate.issuer_key_id;
    revoked.serial = certificate.serial;
    revoked.at = core::floor_seconds(deps_.clock.now());
    revoked.reason = static_cast<unsigned>(reason);
    revoked.not_after = certificate.not_after;
    backend->record_revocation(entry, revoked);
    store::Batch raised = entry;
    entry.append(std::move(more));
    auto recorded = co_await record(certificate, reason, actor, request, std::move(entry));
    if (!recorded && reason == key_compromise && may_block_key(actor))
        recorded = co_await raise_to_compromise(certificate, std::move(actor), std::move(request), std::move(raised));
    if (!recorded) co_return recorded;
    // Durable from here. The CRL follows within the wait, or a moment later: the answer is yes either way.
    const auto wait = core::earlier(deadline, core::deadline_in(std::chrono::seconds(3)));
    const auto published = co_await backend->publish_revocations(wait);
    static_cast<void>(published);
    co_return core::Result<void>();
}

core::Task<core::Result<void>> Revocation::record(const store::CertificateRow& certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                  store::Batch more) {
    const auto now = core::floor_seconds(deps_.clock.now());
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const bool blocks = reason == key_compromise && may_block_key(actor);
    auto record = record_of(certificate, "certificate.revoked", now, std::move(actor), std::move(request));
    record.detail = told(certificate, reason, blocks);

    store::Batch batch;
    batch.add(store::certificate_revoke, store::values(certificate.id, now, reason));
    batch.add(store::enrollment_revoked, store::values(certificate.enrollment, now));
    batch.append(std::move(more));
    if (blocks) add_compromised(batch, certificate, audit_id, now, store::Expect::any);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return revoked_already(certificate);
    co_return core::Result<void>();
}

core::Task<core::Result<void>> Revocation::record_or_block(store::CertificateRow certificate, std::int64_t reason, Actor actor, core::RequestId request,
                                                           store::Batch more) {
    const auto recorded = co_await record(certificate, reason, actor, request, std::move(more));
    // Revoked for a lesser reason before, the key is out all the same. A conflict: it is blocked already.
    if (!recorded && reason == key_compromise && may_block_key(actor))
        co_await block_key(std::move(certificate), std::move(actor), std::move(request), store::Batch(), store::Expect::one);
    co_return recorded;
}

core::Task<core::Result<void>> Revocation::raise_to_compromise(store::CertificateRow certificate, Actor actor, core::RequestId request, store::Batch entry) {
    const auto now = core::floor_seconds(deps_.clock.now());
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = record_of(certificate, "certificate.compromised", now, actor, request);
    record.detail = told(certificate, key_compromise, true);
    store::Batch batch;
    batch.add(store::certificate_raise_reason, store::values(certificate.id, key_compromise));
    batch.append(std::move(entry));
    add_compromised(batch, certificate, audit_id, now, store::Expect::any);
    add_audit(batch, audit_id, record);
    const auto raised = co_await deps_.db.write(std::move(batch));
    if (raised) co_return core::Result<void>();
    // It had that reason from somebody who may not block the key.
    const auto blocked = co_await block_key(certificate, std::move(actor), std::move(request), store::Batch(), store::Expect::one);
    if (!blocked) co_return revoked_already(certificate);
    co_return core::Result<void>();
}

/// The key alone, whatever becomes of the certificate, in a batch with `more`.
core::Task<store::Written> Revocation::block_key(store::CertificateRow certificate, Actor actor, core::RequestId request, store::Batch more,
                                                 store::Expect expect) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto now = core::floor_seconds(deps_.clock.now());
    auto record = record_of(certificate, "key.blocked", now, std::move(actor), std::move(request));
    record.detail = told(certificate, key_compromise, true);
    add_compromised(more, certificate, audit_id, now, expect);
    add_audit(more, audit_id, record);
    co_return co_await deps_.db.write(std::move(more));
}

}  // namespace postern::ra
