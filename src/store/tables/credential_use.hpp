#pragma once
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `credential_use`: a credential that counts once, and the intent that has it.
struct CredentialUseRow {
    CredentialUseRow() = default;
    core::EndpointId endpoint;
    core::Bytes digest;       ///< of the credential; nobody gets it back from this
    core::Bytes spki_sha256;  ///< of the key that it was presented with
    core::EnrollmentId enrollment;
    std::string state;        ///< reserved, consumed
    core::TimePoint kept_until{};

    static CredentialUseRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_CREDENTIAL_USE_COLUMNS "endpoint_id, digest, spki_sha256, enrollment_id, state, kept_until_ms"

/// A duplicate: another intent has it, or had it and became a certificate. Exact under races: the key is unique.
inline constexpr Statement credential_use_reserve{
    "credential_use_reserve", "INSERT INTO credential_use (" POSTERN_CREDENTIAL_USE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)"};
/// $1 enrollment
inline constexpr Statement credential_use_consume{
    "credential_use_consume", "UPDATE credential_use SET state = 'consumed' WHERE enrollment_id = $1 AND state = 'reserved'"};
/// It may be presented again: $1 enrollment
inline constexpr Statement credential_use_release{
    "credential_use_release", "DELETE FROM credential_use WHERE enrollment_id = $1 AND state = 'reserved'"};
/// $1 endpoint, $2 digest
inline constexpr Statement credential_use_find{
    "credential_use_find", "SELECT " POSTERN_CREDENTIAL_USE_COLUMNS " FROM credential_use WHERE endpoint_id = $1 AND digest = $2"};
/// $1 now. Those that nobody could present any more; 1000 at a time.
inline constexpr Statement credential_use_prune{
    "credential_use_prune",
    "DELETE FROM credential_use WHERE (endpoint_id, digest) IN (SELECT endpoint_id, digest FROM credential_use "
    "WHERE state = 'consumed' AND kept_until_ms < $1 ORDER BY kept_until_ms LIMIT 1000)"};

}  // namespace postern::store
