#pragma once
#include <optional>
#include <string>

#include "store/tables/predecessor.hpp"

namespace postern::store {

using ImportedCertificateId = core::Strong<std::int64_t, struct ImportedCertificateIdTag>;

/// One row of `imported_certificate`: what a predecessor issued, and an endpoint may renew. Its id is of
/// Series::certificate.
struct ImportedCertificateRow {
    ImportedCertificateRow() = default;
    ImportedCertificateId id;
    core::TenantId tenant;
    PredecessorId predecessor;
    core::EndpointId endpoint;
    core::AccountId account;
    core::Bytes serial;
    core::Bytes sha256;
    std::string subject;
    std::string names;   ///< JSON array of strings
    std::string status;  ///< issued; replaced: a successor was issued here
    core::TimePoint not_before{}, not_after{};
    std::optional<core::CertificateId> successor;  ///< the newest one
    core::Bytes der;
    std::int64_t audit = 0;  ///< the audit row of its import
    core::TimePoint created{};

    static ImportedCertificateRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_IMPORTED_CERTIFICATE_COLUMNS                                                                 \
    "id, tenant_id, predecessor_id, endpoint_id, account_id, serial, sha256, subject, names, status, not_before_ms, " \
    "not_after_ms, successor_id, der, audit_id, created_ms"

/// A certificate that is known for the endpoint stays as it is.
inline constexpr Statement imported_certificate_insert{
    "imported_certificate_insert", "INSERT INTO imported_certificate (" POSTERN_IMPORTED_CERTIFICATE_COLUMNS
                                   ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
                                   "ON CONFLICT (sha256, endpoint_id) DO NOTHING"};
/// Which of some are known: $1 endpoint, $2…$21 SHA-256 or NULL
inline constexpr Statement imported_certificate_known{
    "imported_certificate_known", "SELECT sha256 FROM imported_certificate WHERE endpoint_id = $1 AND sha256 IN "
                                  "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"};
inline constexpr std::size_t imported_certificate_known_size = 20;
/// A presented certificate: $1 SHA-256 of its DER, $2 endpoint
inline constexpr Statement imported_certificate_presented{
    "imported_certificate_presented",
    "SELECT " POSTERN_IMPORTED_CERTIFICATE_COLUMNS " FROM imported_certificate WHERE sha256 = $1 AND endpoint_id = $2"};
/// Serials are unique with their issuer, and one may be imported for several endpoints. $1 serial, $2 tenant or NULL for all
inline constexpr Statement imported_certificate_by_serial{
    "imported_certificate_by_serial",
    "SELECT " POSTERN_IMPORTED_CERTIFICATE_COLUMNS " FROM imported_certificate WHERE serial = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id LIMIT 100"};
/// $1 SHA-256, $2 tenant or NULL for all
inline constexpr Statement imported_certificate_by_digest{
    "imported_certificate_by_digest",
    "SELECT " POSTERN_IMPORTED_CERTIFICATE_COLUMNS " FROM imported_certificate WHERE sha256 = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id LIMIT 100"};
/// $1 after id, $2 limit, $3 tenant or NULL for all, $4 what subject or names have somewhere, as a LIKE pattern in lower
/// case with "!" before what stands for itself
inline constexpr Statement imported_certificate_page{
    "imported_certificate_page", "SELECT " POSTERN_IMPORTED_CERTIFICATE_COLUMNS
                                 " FROM imported_certificate WHERE id > $1 AND (CAST($3 AS BIGINT) IS NULL OR tenant_id = $3) "
                                 "AND (LOWER(subject) LIKE $4 ESCAPE '!' OR LOWER(names) LIKE $4 ESCAPE '!') ORDER BY id LIMIT $2"};
/// $1 predecessor: all, still to be renewed
inline constexpr Statement imported_certificate_count{
    "imported_certificate_count", "SELECT COUNT(*), COUNT(CASE WHEN status = 'issued' THEN 1 END) FROM imported_certificate WHERE predecessor_id = $1"};
/// $1 id: a row while it is on record. One that was replaced may come again: the answer may have been lost.
inline constexpr Statement imported_certificate_stands{"imported_certificate_stands", "SELECT id FROM imported_certificate WHERE id = $1"};
inline constexpr Statement imported_certificate_guard{"imported_certificate_guard", "SELECT 1 FROM imported_certificate WHERE id = $1",
                                                      "SELECT 1 FROM imported_certificate WHERE id = $1 FOR SHARE"};
/// $1 id, $2 the certificate that was issued on it
inline constexpr Statement imported_certificate_replaced{
    "imported_certificate_replaced", "UPDATE imported_certificate SET status = 'replaced', successor_id = $2 WHERE id = $1"};
inline constexpr Statement imported_certificate_remove{"imported_certificate_remove", "DELETE FROM imported_certificate WHERE id = $1"};
/// $1 predecessor
inline constexpr Statement imported_certificates_remove{"imported_certificates_remove", "DELETE FROM imported_certificate WHERE predecessor_id = $1"};

}  // namespace postern::store
