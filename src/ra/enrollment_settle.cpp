#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"

/// The sweeper: what becomes of intents whose outcome a crash swallowed (design §4).
namespace postern::ra {

using core::Task;

Task<std::size_t> Enrollment::settle_intents() {
    std::size_t settled = 0;
    std::int64_t after = 0;
    for (;;) {
        auto from = store::values(after);
        const auto rows = co_await deps_.db.read(store::enrollment_unsettled, std::move(from));
        for (const auto& raw : rows) {
            auto row = store::EnrollmentRow::from(raw);
            after = row.id.get();
            if (co_await settle(std::move(row))) ++settled;
        }
        if (rows.empty()) co_return settled;
    }
}

/// The serial of the lost attempt may be on a certificate that nobody recorded: it is revoked in the
/// same batch that records the intent for a new one. Policy runs again, on today's configuration.
Task<bool> Enrollment::settle(store::EnrollmentRow row) {
    if (const auto agreed = deps_.clock_agreement.check(); !agreed) {
        deps_.log.warning("enrollment_left_unsettled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"check", agreed.error().check}});
        co_return false;
    }
    auto* backend = deps_.backends.find(row.backend);
    if (!backend || row.serial.empty()) {
        // A CA that drew the serial itself must be asked what became of it: never resubmitted blindly.
        deps_.log.warning("enrollment_left_unsettled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"backend", row.backend}});
        co_return false;
    }
    Attempt a;
    a.request.id = row.request;
    a.request.via = protocol_from(row.protocol).value();
    a.request.endpoint = row.endpoint;
    a.request.account = row.account;
    a.request.requester = row.requester;
    a.request.evidence = evidence_from_json(row.evidence);
    a.request.csr = crypto::Csr::parse(row.csr).value();
    a.request.deadline = core::deadline_in(std::chrono::seconds(30));
    a.catalog = deps_.catalog.current();
    a.now = deps_.clock.now();
    a.id = row.id;
    a.account = co_await find_account(deps_.db, row.account);
    const JudgedKeys keys(a.request.csr->key());
    a.key_block = co_await find_block(deps_.db, keys);
    if (const auto* profile = a.catalog->profile(row.profile)) a.request.profile = profile->name;
    // The end that was authorised stays the end: the client may have asked for it.
    a.request.not_after = row.not_after;
    if (row.not_before > a.now) a.request.not_before = row.not_before;
    // A settled name stays agreed: the protocol had compared it with its own records before.
    std::vector<crypto::GeneralName> names;
    for (const auto& e : a.request.evidence) {
        if (e.kind != Evidence::Kind::validated_name) continue;
        crypto::GeneralName name(e.identifier_type == "ip" ? crypto::GeneralNameType::ip : crypto::GeneralNameType::dns, e.identifier);
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    if (!names.empty()) a.request.agreed_names = std::move(names);

    ca::Revoked voided;
    voided.issuer_key_id = row.issuer_key_id;
    voided.serial = row.serial;
    voided.at = a.now;
    voided.not_after = row.not_after;

    const auto leave = authorise(a);
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    json::Writer detail;
    detail.begin_object().member("voided_serial", core::hex(row.serial)).key("trace").raw(a.trace.to_json());
    if (leave) {
        const auto tbs = crypto::sha256(a.prepared.tbs);
        const auto& content = a.authorized->content();
        batch.add(store::enrollment_resubmit,
                  store::values(row.id, row.serial, a.prepared.serial, core::BytesView(tbs), a.prepared.issuer_key_id,
                                content.not_before, content.not_after, a.now));
        detail.member("serial", core::hex(a.prepared.serial));
    } else {
        batch.add(store::enrollment_invalid, store::values(row.id, a.now, problem_json(leave.error())));
        detail.key("problem").raw(problem_json(leave.error()));
    }
    detail.end_object();
    backend->record_revocation(batch, voided);
    auto record = a.audit("enrollment.settled", leave ? AuditRecord::Outcome::done : AuditRecord::Outcome::refused);
    record.actor = Actor("system", "sweeper");
    if (!leave) record.check = leave.error().check;
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return false;  // settled by somebody else
    deps_.log.warning("enrollment_settled", {{"request", row.request.get()}, {"enrollment", row.id.get()}, {"reissued", leave.has_value()}});
    if (leave) {
        const auto outcome = co_await sign_and_record(a);
        co_return outcome.has_value();
    }
    co_return true;
}

}  // namespace postern::ra
