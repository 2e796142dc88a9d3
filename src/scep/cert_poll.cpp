#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "ra/approvals.hpp"
#include "scep/answer.hpp"
#include "scep/enroll.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"

namespace postern::scep {

namespace {

/// Transaction ids are hashes of public keys, so anybody may know them: the poll must be signed by the key that is to be
/// certified, or with the certificate that was to be renewed (A12).
bool may_poll(const store::EnrollmentRow& row, const Request& request) {
    const auto key = request.signer().key.spki_sha256();
    if (std::equal(row.spki_sha256.begin(), row.spki_sha256.end(), key.begin(), key.end())) return true;
    const auto presented = core::hex(request.signer_sha256());
    for (const auto& e : ra::evidence_from_json(row.evidence))
        if (e.kind == ra::Evidence::Kind::certificate && e.subject == presented) return true;
    return false;
}

core::Problem unknown() { return {core::ProblemKind::not_found, "there is no such transaction of this key"}; }

}  // namespace

core::Task<http::Response> cert_poll(Parts& parts, const Call& call, const Request& request) {
    ReplyTo to(request, call.policy);
    const auto key = request.signer().key.spki_sha256();
    const auto presented = "%\"" + core::hex(request.signer_sha256()) + "\"%";
    auto by_transaction = store::values(call.endpoint.id, request.transaction_id(), core::BytesView(key), presented);
    const auto rows = co_await parts.deps.db.read(store::enrollment_by_transaction, std::move(by_transaction));
    std::optional<store::EnrollmentRow> found;
    for (const auto& raw : rows) {
        auto row = store::EnrollmentRow::from(raw);
        if (!found && may_poll(row, request)) found = std::move(row);
    }
    if (!found) co_return co_await refuse(parts, call, std::move(to), unknown());
    const auto& status = found->status;
    if (status == "issued" && !found->withheld) {
        auto by_enrollment = store::values(found->id);
        const auto stored = co_await store::read_one(parts.deps.db, store::certificate_by_enrollment, std::move(by_enrollment));
        auto certificate = store::CertificateRow::from(stored.value());
        co_await ra::note_delivery(parts.deps.db, found->id, parts.now());
        co_return co_await answer_issued(parts, call, request, std::move(certificate.der), std::move(certificate.issuer_key_id));
    }
    const bool decided = status == "invalid" || status == "declined" || status == "rejected" || status == "revoked" || status == "expired" || status == "replaced";
    if (decided) {
        auto problem = told(call, ra::ended_problem(*found));
        co_return co_await refuse(parts, call, std::move(to), std::move(problem));
    }
    auto why = found->pending_reason.empty() ? status : found->pending_reason;
    co_return co_await answer_pending(parts, call, std::move(to), std::move(why));
}

}  // namespace postern::scep
