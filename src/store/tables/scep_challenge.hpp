#pragma once
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/tables/objects.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `scep_challenge`: a one-time challenge that somebody minted. Its text is nowhere.
struct ScepChallengeRow {
    ScepChallengeRow() = default;
    std::int64_t id = 0;
    std::string token;    ///< what REST and people call it by
    core::TenantId tenant;
    core::EndpointId endpoint;
    core::AccountId account;
    core::Bytes digest;   ///< HMAC of its text
    bool bound = true;    ///< to subject and names
    std::string profile;  ///< empty: whichever endpoint and account give first
    std::string subject;  ///< JSON array of ["CN", "value"]
    std::string names;    ///< JSON array of "dns:name"
    std::string key_type; ///< "rsa-2048": at least that; empty: as the profile says
    std::string status;   ///< open, withdrawn
    core::TimePoint created{}, expires{};
    std::string actor_kind, actor;

    static ScepChallengeRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_SCEP_CHALLENGE_COLUMNS                                                                                 \
    "id, token, tenant_id, endpoint_id, account_id, digest, bound, profile, subject, names, key_type, status, "        \
    "created_ms, expires_ms, actor_kind, actor"

inline constexpr Statement scep_challenge_insert{
    "scep_challenge_insert", "INSERT INTO scep_challenge (" POSTERN_SCEP_CHALLENGE_COLUMNS
                             ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"};
/// $1 endpoint, $2 digest
inline constexpr Statement scep_challenge_find{
    "scep_challenge_find", "SELECT " POSTERN_SCEP_CHALLENGE_COLUMNS " FROM scep_challenge WHERE endpoint_id = $1 AND digest = $2"};
/// In the batch of an intent: $1 id. Whoever withdraws it comes before or after.
inline constexpr Statement scep_challenge_guard{
    "scep_challenge_guard", "SELECT 1 FROM scep_challenge WHERE id = $1 AND status = 'open'",
    "SELECT 1 FROM scep_challenge WHERE id = $1 AND status = 'open' FOR SHARE"};
/// For a list, rising, with the state of its use (reserved, consumed or NULL): $1 after id, $2 limit, $3 tenant or NULL, $4 endpoint or NULL
inline constexpr Statement scep_challenge_page{
    "scep_challenge_page",
    "SELECT c.id, c.token, c.tenant_id, c.endpoint_id, c.account_id, c.digest, c.bound, c.profile, c.subject, c.names, c.key_type, c.status, "
    "c.created_ms, c.expires_ms, c.actor_kind, c.actor, u.state, u.enrollment_id FROM scep_challenge c "
    "LEFT JOIN credential_use u ON u.endpoint_id = c.endpoint_id AND u.digest = c.digest WHERE c.id > $1 "
    "AND (CAST($3 AS BIGINT) IS NULL OR c.tenant_id = $3) AND (CAST($4 AS BIGINT) IS NULL OR c.endpoint_id = $4) ORDER BY c.id LIMIT $2"};
/// $1 token
inline constexpr Statement scep_challenge_by_token{
    "scep_challenge_by_token", "SELECT " POSTERN_SCEP_CHALLENGE_COLUMNS " FROM scep_challenge WHERE token = $1"};
/// $1 id. One that an intent or a certificate has already is past withdrawing.
inline constexpr Statement scep_challenge_withdraw{
    "scep_challenge_withdraw",
    "UPDATE scep_challenge SET status = 'withdrawn' WHERE id = $1 AND status = 'open' AND NOT EXISTS "
    "(SELECT 1 FROM credential_use u WHERE u.endpoint_id = scep_challenge.endpoint_id AND u.digest = scep_challenge.digest)"};
/// One at a time counts an account's challenges: $1 account
inline constexpr Statement scep_challenge_turn{
    "scep_challenge_turn", "SELECT 1 FROM account WHERE id = $1 AND status = 'active'",
    "SELECT 1 FROM account WHERE id = $1 AND status = 'active' FOR UPDATE"};
/// Fewer than $3 unbound ones of account $1 can still be used at $2.
inline constexpr Statement scep_challenge_room{
    "scep_challenge_room",
    "SELECT 1 WHERE (SELECT count(*) FROM scep_challenge c WHERE c.account_id = $1 AND NOT c.bound AND c.expires_ms > $2 AND c.status = 'open' "
    "AND NOT EXISTS (SELECT 1 FROM credential_use u WHERE u.endpoint_id = c.endpoint_id AND u.digest = c.digest)) < $3"};
/// Those that expired before $1, 1000 at a time.
inline constexpr Statement scep_challenge_prune{
    "scep_challenge_prune",
    "DELETE FROM scep_challenge WHERE id IN (SELECT id FROM scep_challenge WHERE expires_ms < $1 ORDER BY expires_ms LIMIT 1000)"};
/// Accounts whose challenges are minted: $1 endpoint, $2 name or NULL
inline constexpr Statement account_minting{
    "account_minting", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND method = 'one_time' "
                       "AND (CAST($2 AS TEXT) IS NULL OR name = $2) ORDER BY id LIMIT 50"};
/// Accounts that a challenge cannot be looked up for, so that each must be asked: $1 endpoint
inline constexpr Statement account_judging{
    "account_judging", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND status = 'active' AND public_id IS NULL "
                       "AND secret_sealed IS NOT NULL AND method IN ('access_code', 'basic', 'certificate', 'webhook') ORDER BY id LIMIT 16"};

}  // namespace postern::store
