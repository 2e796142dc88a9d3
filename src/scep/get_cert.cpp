#include "scep/answer.hpp"
#include "scep/enroll.hpp"
#include "store/tables/certificate.hpp"
#include "store/tables/enrollment.hpp"

namespace postern::scep {

/// Serials can be guessed or read elsewhere: whoever asks has the certificate's key, or asks in vain (A21).
core::Task<std::optional<store::CertificateRow>> find_own(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted) {
    auto by_serial = store::values(wanted.serial);
    const auto rows = co_await parts.deps.db.read(store::certificate_by_serial, std::move(by_serial));
    const auto key = request.signer().key.spki_sha256();
    for (const auto& raw : rows) {
        auto row = store::CertificateRow::from(raw);
        const bool own = std::equal(row.spki_sha256.begin(), row.spki_sha256.end(), key.begin(), key.end());
        if (row.endpoint != call.endpoint.id || !own) continue;
        const auto certificate = crypto::Certificate::parse(row.der);
        if (!certificate || certificate->issuer_der() != wanted.issuer_der) continue;
        auto by_id = store::values(row.enrollment);
        const auto enrollment = co_await store::read_one(parts.deps.db, store::enrollment_by_id, std::move(by_id));
        if (store::EnrollmentRow::from(enrollment.value()).withheld) continue;
        co_return row;
    }
    co_return std::nullopt;
}

core::Task<http::Response> get_cert(Parts& parts, const Call& call, const Request& request, const IssuerAndSerial& wanted) {
    auto row = co_await find_own(parts, call, request, wanted);
    if (row) co_return co_await answer_issued(parts, call, request, std::move(row->der), std::move(row->issuer_key_id));
    ReplyTo to(request, call.policy);
    core::Problem problem(core::ProblemKind::not_found, "there is no such certificate of the key that signed the request");
    co_return co_await refuse(parts, call, std::move(to), std::move(problem));
}

}  // namespace postern::scep
