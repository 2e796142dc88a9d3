#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `certificate`, in the column order of certificate_columns.
struct CertificateRow {
    CertificateRow() = default;
    core::CertificateId id;
    std::string token;
    core::EnrollmentId enrollment;
    core::TenantId tenant;
    core::EndpointId endpoint;
    core::AccountId account;
    std::string backend;
    std::string issuer_key_id;
    core::Bytes serial;
    core::Bytes sha256;
    core::Bytes spki_sha256;
    std::string subject;
    std::string names;   ///< JSON array of strings
    std::string status;  ///< issued, revoked, expired, replaced
    core::TimePoint not_before{}, not_after{};
    std::optional<core::TimePoint> revoked;
    std::optional<std::int64_t> revoked_reason;
    core::Bytes der;
    core::TimePoint created{};

    static CertificateRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_CERTIFICATE_COLUMNS                                                                          \
    "id, token, enrollment_id, tenant_id, endpoint_id, account_id, backend, issuer_key_id, serial, sha256, " \
    "spki_sha256, subject, names, status, not_before_ms, not_after_ms, revoked_ms, revoked_reason, der, created_ms"

inline constexpr Statement certificate_insert{
    "certificate_insert", "INSERT INTO certificate (" POSTERN_CERTIFICATE_COLUMNS
                          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"};
inline constexpr Statement certificate_by_token{
    "certificate_by_token", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate WHERE token = $1"};
inline constexpr Statement certificate_by_id{
    "certificate_by_id", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate WHERE id = $1"};
inline constexpr Statement certificate_by_enrollment{
    "certificate_by_enrollment", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate WHERE enrollment_id = $1"};
/// A presented certificate: $1 its serial, by which it is found, $2 SHA-256 of its DER, which must agree.
inline constexpr Statement certificate_presented{
    "certificate_presented", "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate WHERE serial = $1 AND sha256 = $2"};
/// $1 id: a row while it is neither revoked nor replaced
inline constexpr Statement certificate_stands{"certificate_stands", "SELECT id FROM certificate WHERE id = $1 AND status = 'issued'"};
inline constexpr Statement certificate_guard{"certificate_guard", "SELECT 1 FROM certificate WHERE id = $1 AND status = 'issued'",
                                             "SELECT 1 FROM certificate WHERE id = $1 AND status = 'issued' FOR SHARE"};
/// Serials are unique with their issuer; several issuers may answer.
inline constexpr Statement certificate_by_serial{
    "certificate_by_serial",
    "SELECT " POSTERN_CERTIFICATE_COLUMNS " FROM certificate WHERE serial = $1 ORDER BY id LIMIT 10"};
/// $1 after id, $2 limit, $3 tenant or NULL for all
inline constexpr Statement certificate_page{
    "certificate_page", "SELECT " POSTERN_CERTIFICATE_COLUMNS
                        " FROM certificate WHERE id > $1 AND (CAST($3 AS BIGINT) IS NULL OR tenant_id = $3) ORDER BY id LIMIT $2"};
/// $1 id, $2 revoked_ms, $3 reason: one row, or somebody was first
inline constexpr Statement certificate_revoke{
    "certificate_revoke",
    "UPDATE certificate SET status = 'revoked', revoked_ms = $2, revoked_reason = $3 WHERE id = $1 AND status <> 'revoked'"};
/// One that was revoked for another reason: $1 id, $2 the graver one. Its date stays.
inline constexpr Statement certificate_raise_reason{
    "certificate_raise_reason", "UPDATE certificate SET revoked_reason = $2 WHERE id = $1 AND status = 'revoked' AND revoked_reason <> $2"};

}  // namespace postern::store
