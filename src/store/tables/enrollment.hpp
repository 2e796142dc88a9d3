#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `enrollment`, in the order of POSTERN_ENROLLMENT_COLUMNS. The outcome of a request
/// lives here and nowhere else (design §3).
struct EnrollmentRow {
    EnrollmentRow() = default;
    core::EnrollmentId id;
    core::RequestId request;
    core::TenantId tenant;
    std::optional<core::OrganizationId> organization;
    std::optional<core::DepartmentId> department;
    core::EndpointId endpoint;
    core::AccountId account;
    core::ProfileId profile;
    std::int64_t profile_version = 0;
    std::string protocol;
    std::string requester;
    std::string status;
    std::string pending_reason;
    core::Bytes attempt_key;
    bool attempt_bound = true;
    std::int64_t attempt_count = 1;
    std::string names;  ///< JSON array of strings
    core::Bytes spki_sha256;
    core::Bytes csr;
    core::Bytes content_hash;
    std::string evidence;  ///< JSON, ra::to_json
    std::string backend;
    std::optional<std::string> backend_handle;
    bool withheld = false;
    std::string issuer_key_id;
    core::Bytes serial;
    core::Bytes tbs_sha256;
    core::TimePoint not_before{}, not_after{};
    std::optional<std::string> problem;
    core::TimePoint created{}, updated{};
    std::optional<std::int64_t> life;  ///< whose work it is while it is submitted (nodes.hpp)

    static EnrollmentRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_ENROLLMENT_COLUMNS                                                                                   \
    "id, request_id, tenant_id, organization_id, department_id, endpoint_id, account_id, profile_id, "               \
    "profile_version, protocol, requester, status, pending_reason, attempt_key, attempt_bound, attempt_count, "      \
    "names, spki_sha256, csr, content_hash, evidence, backend, backend_handle, withheld, issuer_key_id, serial, "    \
    "tbs_sha256, not_before_ms, not_after_ms, problem, created_ms, updated_ms, life"

inline constexpr Statement enrollment_insert{
    "enrollment_insert", "INSERT INTO enrollment (" POSTERN_ENROLLMENT_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
                         "$19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"};
inline constexpr Statement enrollment_by_id{
    "enrollment_by_id", "SELECT " POSTERN_ENROLLMENT_COLUMNS " FROM enrollment WHERE id = $1"};
inline constexpr Statement enrollment_by_attempt{
    "enrollment_by_attempt",
    "SELECT " POSTERN_ENROLLMENT_COLUMNS " FROM enrollment WHERE attempt_key = $1 AND attempt_bound"};
/// Of a SCEP transaction, whose id is its client's choice, so that others may have used it as often as they like; the newest first:
/// $1 endpoint, $2 transactionID, $3 SPKI digest of who asks, $4 a part that the evidence of its renewal has, for LIKE
inline constexpr Statement enrollment_by_transaction{
    "enrollment_by_transaction", "SELECT " POSTERN_ENROLLMENT_COLUMNS " FROM enrollment WHERE endpoint_id = $1 AND requester = $2 "
                                 "AND protocol = 'scep' AND (spki_sha256 = $3 OR evidence LIKE $4) ORDER BY id DESC LIMIT 20"};
/// id, life, updated_ms of intents without outcome: $1 after id, $2 last touched before.
/// One at a foreign CA has no issuer yet, and is no sweeper's (submission.hpp).
inline constexpr Statement enrollment_unsettled{
    "enrollment_unsettled",
    "SELECT id, life, updated_ms FROM enrollment WHERE status = 'submitted' AND issuer_key_id <> '' AND id > $1 AND updated_ms < $2 ORDER BY id LIMIT 1000"};
/// Everything that was authorised still stands, in the version that was looked at: $1 tenant,
/// $2 endpoint, $3 its version, $4 account, $5 its version, $6 profile, $7 its version
inline constexpr Statement enrollment_guard{
    "enrollment_guard",
    "SELECT 1 FROM tenant t, endpoint e, account a, profile p WHERE t.id = $1 AND t.status = 'active' "
    "AND e.id = $2 AND e.version = $3 AND e.status = 'active' AND a.id = $4 AND a.version = $5 "
    "AND a.status = 'active' AND p.id = $6 AND p.version = $7 AND p.status = 'active'",
    "SELECT 1 FROM tenant t, endpoint e, account a, profile p WHERE t.id = $1 AND t.status = 'active' "
    "AND e.id = $2 AND e.version = $3 AND e.status = 'active' AND a.id = $4 AND a.version = $5 "
    "AND a.status = 'active' AND p.id = $6 AND p.version = $7 AND p.status = 'active' FOR SHARE"};
/// $1 id, $2 updated_ms, $3 the serial of the intent. An outcome counts for the intent it belongs to
/// only: once a sweeper gave up that serial, nobody may record a certificate with it.
inline constexpr Statement enrollment_issued{
    "enrollment_issued", "UPDATE enrollment SET status = 'issued', updated_ms = $2 "
                         "WHERE id = $1 AND status = 'submitted' AND serial = $3"};
/// $1 id, $2 updated_ms, $3 problem JSON, $4 the serial of the intent: refused or failed for good; the
/// attempt binds nothing more
inline constexpr Statement enrollment_invalid{
    "enrollment_invalid", "UPDATE enrollment SET status = 'invalid', attempt_bound = FALSE, problem = $3, "
                          "updated_ms = $2 WHERE id = $1 AND status = 'submitted' AND serial = $4"};
/// $1 id, $2 updated_ms, $3 problem JSON, $4 the serial of the intent: the backend's answer is not what
/// was authorised; kept for an officer, and the attempt stays bound so that nothing is resubmitted
inline constexpr Statement enrollment_quarantined{
    "enrollment_quarantined", "UPDATE enrollment SET status = 'quarantined', problem = $3, updated_ms = $2 "
                              "WHERE id = $1 AND status = 'submitted' AND serial = $4"};
/// A new signature for the same enrollment: $1 id, $2 the serial that is given up, $3 new serial,
/// $4 new TBS digest, $5 issuer, $6 not before, $7 not after, $8 updated_ms, $9 whose work it is now
inline constexpr Statement enrollment_resubmit{
    "enrollment_resubmit",
    "UPDATE enrollment SET serial = $3, tbs_sha256 = $4, issuer_key_id = $5, not_before_ms = $6, not_after_ms = $7, "
    "attempt_count = attempt_count + 1, updated_ms = $8, life = $9 WHERE id = $1 AND status = 'submitted' AND serial = $2"};
/// $1 id, $2 issued before: the time is over in which its attempt is repeated; the next one is a new one
inline constexpr Statement enrollment_unbind{
    "enrollment_unbind",
    "UPDATE enrollment SET attempt_bound = FALSE WHERE id = $1 AND status = 'issued' AND attempt_bound AND updated_ms < $2"};
/// $1 id, $2 updated_ms: whoever the certificate was withheld for knows of it
inline constexpr Statement enrollment_acknowledge{
    "enrollment_acknowledge", "UPDATE enrollment SET withheld = FALSE, updated_ms = $2 WHERE id = $1 AND status = 'issued' AND withheld"};
/// $1 id, $2 updated_ms: its certificate was revoked; a repeated attempt is a new one
inline constexpr Statement enrollment_revoked{
    "enrollment_revoked", "UPDATE enrollment SET status = 'revoked', attempt_bound = FALSE, updated_ms = $2 "
                          "WHERE id = $1 AND status = 'issued'"};

}  // namespace postern::store
