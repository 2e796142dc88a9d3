#include "ra/reports.hpp"

#include "core/crypto/serial_text.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/submission.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;

core::Task<store::Rows> list_certificates(store::Database& db, const Principal& by, std::int64_t after, std::int64_t limit) {
    return db.read(store::certificate_page, store::values(after, limit, by.tenant));
}

core::Task<core::Result<store::CertificateRow>> find_certificate(store::Database& db, const Principal& by, std::string serial_text) {
    Problem absent(ProblemKind::not_found, "no certificate with serial " + serial_text);
    const auto serial = crypto::serial_from_text(serial_text);
    if (!serial) co_return absent;
    auto key = store::values(core::BytesView(*serial));
    const auto rows = co_await db.read(store::certificate_by_serial, std::move(key));
    for (const auto& raw : rows) {
        auto row = store::CertificateRow::from(raw);
        if (!by.tenant || row.tenant == *by.tenant) co_return row;
    }
    co_return absent;
}

core::Task<bool> withheld(store::Database& db, core::EnrollmentId enrollment) {
    auto key = store::values(enrollment);
    const auto row = co_await store::read_one(db, store::enrollment_by_id, std::move(key));
    co_return row && store::EnrollmentRow::from(*row).withheld;
}

core::Task<std::optional<store::RevocationRequestRow>> open_revocation(store::Database& db, core::CertificateId certificate) {
    auto key = store::values(certificate);
    const auto row = co_await store::read_one(db, store::revocation_request_of, std::move(key));
    if (!row) co_return std::nullopt;
    co_return store::RevocationRequestRow::from(*row);
}

namespace {
std::string to_pem(const std::vector<core::Bytes>& chain) {
    std::string pem;
    for (const auto& der : chain) pem += crypto::to_pem("CERTIFICATE", der);
    return pem;
}
}  // namespace

core::Task<std::vector<std::string>> chains_of(store::Database& db, const ca::Backends& backends, std::string backend, std::string issuer_key_id) {
    std::vector<std::string> out;
    auto other = backends.alternate_chains(issuer_key_id);
    auto first = chain_of(db, backends, std::move(backend), std::move(issuer_key_id));
    out.push_back(co_await std::move(first));
    for (const auto& chain : other) out.push_back(to_pem(chain));
    co_return out;
}

core::Task<std::string> chain_of(store::Database& db, const ca::Backends& backends, std::string backend, std::string issuer_key_id) {
    std::string pem = to_pem(backends.chain(issuer_key_id));
    if (!pem.empty()) co_return pem;
    auto key = store::values(backend, issuer_key_id);
    const auto row = co_await store::read_one(db, store::issuer_chain_of, std::move(key));
    co_return row ? row->text(0) : std::string();
}

}  // namespace postern::ra
