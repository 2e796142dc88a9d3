#include "ra/intune_notices.hpp"

#include "core/async/fail_point.hpp"
#include "core/base/encoding.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view seal_label = "intune-request";
/// RFC 5280 §5.3.1 cessationOfOperation: nobody ever used it.
constexpr std::int64_t never_used = 5;

std::string seal_context(core::EnrollmentId id) { return "intune/" + std::to_string(id.get()); }

/// Trying again changes nothing.
bool final(const Problem& problem) noexcept { return problem.kind == ProblemKind::forbidden || problem.kind == ProblemKind::incorrect_response; }

}  // namespace

/// The request as Intune saw it.
struct IntuneNotices::Kept {
    Kept() = default;
    azure::AccountRef account;  ///< null: no document describes it any more
    std::string transaction_id;
    core::Bytes csr;
};

std::string intune_message(core::EnrollmentId id, std::string_view why) {
    json::Writer body;
    body.begin_object().member("enrollment", id.get());
    if (!why.empty()) body.member("why", why);
    body.end_object();
    return body.take();
}

IntuneNotices::IntuneNotices(Deps deps)
    : deps_(deps), told_(deps.metrics.counter("postern_intune_notifications_total", "Requests of which Intune has heard the end")),
      given_up_(deps.metrics.counter("postern_intune_withheld_revoked_total", "Certificates that were revoked because Intune could not be told of them")) {}

void IntuneNotices::keep(store::Batch& batch, core::EnrollmentId id, std::int64_t azure_account, std::string_view transaction_id, core::BytesView csr) const {
    json::Writer plain;
    plain.begin_object().member("transaction", transaction_id).member("csr", core::base64(csr)).end_object();
    const auto text = plain.take();
    auto sealed = deps_.sealer.seal(seal_label, seal_context(id), core::as_bytes(text));
    batch.add(store::intune_request_insert, store::values(id, azure_account, std::move(sealed), deps_.clock.now()));
}

Task<std::optional<IntuneNotices::Kept>> IntuneNotices::find(core::EnrollmentId id) {
    auto key = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::intune_request_find, std::move(key));
    if (!found) co_return std::nullopt;
    const auto row = store::IntuneRequestRow::from(*found);
    const auto plain = deps_.sealer.open(seal_label, seal_context(id), row.sealed);
    if (!plain) throw std::logic_error("what Intune validated was sealed under another master key");
    json::Limits limits;
    limits.bytes = std::size_t{512} * 1024;
    const auto document = json::Document::parse(core::as_text(plain->expose()), limits);
    Kept kept;
    kept.account = deps_.catalog.current()->azure_account(row.azure_account);
    kept.transaction_id = document.value().root()["transaction"].string().value();
    kept.csr = core::from_base64(document.value().root()["csr"].string().value()).value();
    co_return kept;
}

/// In one batch: what was withheld is the device's, and the request's octets are gone.
Task<Result<void>> IntuneNotices::record_told(const store::EnrollmentRow& row, By by, azure::ActivityRef activity) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    const auto now = deps_.clock.now();
    AuditRecord record;
    record.at = now;
    record.tenant = row.tenant;
    record.request = row.request;
    record.actor = Actor("system", "intune");
    record.action = "intune.notified";
    record.object_kind = "enrollment";
    record.object_id = std::to_string(row.id.get());
    json::Writer detail;
    detail.begin_object().member("told", "success").member("transaction", row.requester).member("released", row.withheld).member("activity", *activity).end_object();
    record.detail = detail.take();
    store::Batch batch;
    if (row.withheld) batch.add(store::enrollment_acknowledge, store::values(row.id, now));
    batch.add(store::intune_request_told, store::values(row.id), store::Expect::any);
    if (by == By::request) Outbox::take_back(batch, intune_success_kind, std::to_string(row.id.get()));
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return Problem(ProblemKind::conflict, "the certificate was acknowledged or revoked meanwhile");
    told_.add();
    co_return Result<void>();
}

Task<Result<void>> IntuneNotices::tell_success(core::EnrollmentId id, By by, core::Deadline deadline) {
    const auto kept = co_await find(id);
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = store::EnrollmentRow::from(found.value());
    if (!kept) {
        // It knows, or nobody will ever tell it: who gave the certificate up forgot the request, too.
        if (row.withheld || row.status != "issued") co_return Problem(ProblemKind::conflict, "the certificate is " + row.status + ", and nobody tells of it any more");
        co_return Result<void>();
    }
    if (row.withheld && row.status != "issued") {
        std::string why = "it is " + row.status;
        const auto ended = co_await give_up(id, by, std::move(why), deadline);
        if (!ended) co_return ended.error();
        co_return Problem(ProblemKind::conflict, "the certificate is " + row.status);
    }
    if (!kept->account) co_return Problem(ProblemKind::incorrect_response, "its azure_account is not described any more", "intune.account");
    auto by_enrollment = store::values(id);
    const auto stored = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(by_enrollment));
    const auto certificate = store::CertificateRow::from(stored.value());
    auto notice = azure::success_notice(kept->transaction_id, kept->csr, certificate.der, certificate.issuer_key_id);
    if (!notice) co_return notice.error();
    const auto activity = azure::new_activity();
    notice->activity = activity;
    auto told = co_await deps_.intune.notify_success(kept->account, std::move(*notice), deadline);
    if (!told) co_return told.error();
    co_await core::fail_point("intune_notified");
    co_return co_await record_told(row, by, activity);
}

/// Under the enrollment; what was refused before there was one, under its transaction.
Task<AuditRecord> IntuneNotices::record_of_failure(core::EnrollmentId id, const Kept& kept) {
    AuditRecord record;
    record.at = deps_.clock.now();
    record.actor = Actor("system", "intune");
    record.action = "intune.notified";
    record.object_kind = "scep_transaction";
    record.object_id = kept.transaction_id;
    if (kept.account) record.tenant = core::TenantId(kept.account->tenant_id);
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    if (!found) co_return record;
    const auto row = store::EnrollmentRow::from(*found);
    record.tenant = row.tenant;
    record.request = row.request;
    record.object_kind = "enrollment";
    record.object_id = std::to_string(id.get());
    co_return record;
}

Task<Result<void>> IntuneNotices::tell_failure(core::EnrollmentId id, std::string why, core::Deadline deadline) {
    const auto kept = co_await find(id);
    if (!kept) co_return Result<void>();
    Result<void> told = Problem(ProblemKind::incorrect_response, "its azure_account is not described any more", "intune.account");
    const auto activity = azure::new_activity();
    if (kept->account) {
        azure::FailureNotice notice(kept->transaction_id, kept->csr, azure::FailureNotice::unexpected, why);
        notice.activity = activity;
        told = co_await deps_.intune.notify_failure(kept->account, std::move(notice), deadline);
        if (!told && !final(told.error())) co_return told.error();
    }
    if (!told) deps_.log.error("intune_notice_refused", {{"enrollment", id.get()}, {"notice", "failure"}, {"why", told.error().detail}, {"check", told.error().check}});
    if (told) told_.add();
    auto record = co_await record_of_failure(id, *kept);
    record.outcome = told ? AuditRecord::Outcome::done : AuditRecord::Outcome::failed;
    json::Writer detail;
    detail.begin_object().member("told", "failure").member("transaction", kept->transaction_id).member("why", why).member("activity", *activity);
    if (!told) {
        record.check = told.error().check;
        detail.member("not_taken", told.error().detail);
    }
    detail.end_object();
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::intune_request_told, store::values(id), store::Expect::any);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // it expects nothing
    co_return Result<void>();
}

Task<Result<void>> IntuneNotices::give_up(core::EnrollmentId id, By by, std::string why, core::Deadline deadline) {
    auto by_enrollment = store::values(id);
    const auto stored = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(by_enrollment));
    auto certificate = store::CertificateRow::from(stored.value());
    if (certificate.status != "revoked") {
        auto by_id = store::values(id);
        const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
        auto request = store::EnrollmentRow::from(found.value()).request;
        const auto serial = core::hex(certificate.serial);
        Actor actor("system", "intune");
        const auto revoked = co_await deps_.revocation.revoke(std::move(certificate), never_used, std::move(actor), std::move(request), deadline);
        deps_.log.warning("intune_withheld_revoked", {{"enrollment", id.get()}, {"serial", serial}, {"why", why},
                                                      {"revoked", revoked ? "now" : revoked.error().detail}});
        auto again = store::values(id);
        const auto after = co_await store::read_one(deps_.db, store::certificate_by_enrollment, std::move(again));
        if (store::CertificateRow::from(after.value()).status != "revoked")
            co_return Problem(ProblemKind::unavailable, "a certificate that Intune could not be told of could not be revoked either", "intune.notification");
        given_up_.add();
    }
    store::Batch batch;
    batch.add(store::intune_request_told, store::values(id), store::Expect::any);
    if (by == By::request) Outbox::take_back(batch, intune_success_kind, std::to_string(id.get()));
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // it expects nothing
    co_return Result<void>();
}

Task<Result<void>> IntuneNotices::send_success(core::EnrollmentId id, core::Deadline deadline) {
    const auto told = co_await tell_success(id, By::outbox, deadline);
    if (told) co_return Result<void>();
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::enrollment_by_id, std::move(by_id));
    const auto row = store::EnrollmentRow::from(found.value());
    if (told.error().kind == ProblemKind::conflict && !(row.withheld && row.status == "issued")) co_return Result<void>();
    if (row.withheld && (final(told.error()) || deps_.clock.now() - row.updated > withheld_limit)) {
        auto why = told.error().detail;
        co_return co_await give_up(id, By::outbox, std::move(why), deadline);
    }
    co_return told.error();
}

Task<Result<void>> IntuneSender::send(Message message, core::Deadline deadline) {
    const auto document = json::Document::parse(message.body);
    const auto body = document.value().root();
    const core::EnrollmentId id(body["enrollment"].integer().value());
    if (success_) co_return co_await notices_.send_success(id, deadline);
    std::string why(body.contains("why") ? body["why"].string().value() : std::string_view());
    co_return co_await notices_.tell_failure(id, std::move(why), deadline);
}

}  // namespace postern::ra
