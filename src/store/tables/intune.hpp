#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `intune_request`: what Intune validated and has not heard the end of.
struct IntuneRequestRow {
    IntuneRequestRow() = default;
    core::EnrollmentId enrollment;   ///< its number; a refusal before the intent has no row of that number
    std::int64_t azure_account = 0;
    core::Bytes sealed;              ///< transactionID and CSR as they came, the challenge among them

    static IntuneRequestRow from(const Row& row);
};

/// $1 enrollment, $2 azure account, $3 sealed, $4 created_ms
inline constexpr Statement intune_request_insert{
    "intune_request_insert", "INSERT INTO intune_request (enrollment_id, azure_account_id, sealed, created_ms) VALUES ($1, $2, $3, $4)"};
/// $1 enrollment
inline constexpr Statement intune_request_find{
    "intune_request_find", "SELECT enrollment_id, azure_account_id, sealed FROM intune_request WHERE enrollment_id = $1"};
/// Intune knows what became of it: $1 enrollment
inline constexpr Statement intune_request_told{"intune_request_told", "DELETE FROM intune_request WHERE enrollment_id = $1"};
/// Of messages that somebody dropped: $1 created before
inline constexpr Statement intune_request_prune{"intune_request_prune", "DELETE FROM intune_request WHERE created_ms < $1"};

/// One row of `intune_revocation`: a revocation that Intune asked for, and what it is to hear of it.
struct IntuneRevocationRow {
    IntuneRevocationRow() = default;
    std::int64_t azure_account = 0;
    core::Bytes context_sha256;
    std::string context;   ///< goes back unchanged
    std::string serial;    ///< as Intune wrote it
    std::string code;      ///< "None", "CertificateNotFoundError": as Intune spells it
    std::string message;   ///< empty with None

    static IntuneRevocationRow from(const Row& row);
    [[nodiscard]] Values insert_values(core::TimePoint created) const;
};

#define POSTERN_INTUNE_REVOCATION_COLUMNS "azure_account_id, context_sha256, context, serial, code, message"

/// The last is created_ms
inline constexpr Statement intune_revocation_insert{
    "intune_revocation_insert", "INSERT INTO intune_revocation (" POSTERN_INTUNE_REVOCATION_COLUMNS ", created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
/// Intune gave it out once more: it hears the same again. $1 azure account, $2 digest of the context
inline constexpr Statement intune_revocation_again{
    "intune_revocation_again", "UPDATE intune_revocation SET uploaded_ms = NULL WHERE azure_account_id = $1 AND context_sha256 = $2"};
/// What Intune has not heard, the oldest first: $1 azure account, $2 limit
inline constexpr Statement intune_revocation_waiting{
    "intune_revocation_waiting", "SELECT " POSTERN_INTUNE_REVOCATION_COLUMNS " FROM intune_revocation WHERE azure_account_id = $1 AND uploaded_ms IS NULL "
                                 "ORDER BY created_ms, context_sha256 LIMIT $2"};
/// $1 azure account, $2 digest of the context, $3 now
inline constexpr Statement intune_revocation_uploaded{
    "intune_revocation_uploaded", "UPDATE intune_revocation SET uploaded_ms = $3 WHERE azure_account_id = $1 AND context_sha256 = $2"};
/// $1 created before
inline constexpr Statement intune_revocation_prune{
    "intune_revocation_prune", "DELETE FROM intune_revocation WHERE uploaded_ms IS NOT NULL AND created_ms < $1"};

}  // namespace postern::store
