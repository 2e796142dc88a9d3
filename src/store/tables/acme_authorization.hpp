#pragma once
#include <optional>
#include <string>

#include "store/statement.hpp"
#include "store/tables/acme_account.hpp"
#include "store/value.hpp"

namespace postern::store {

using AcmeAuthorizationId = core::Strong<std::int64_t, struct AcmeAuthorizationIdTag>;
using AcmeChallengeId = core::Strong<std::int64_t, struct AcmeChallengeIdTag>;

/// One row of `acme_authorization` (RFC 8555 §7.1.4). Past `expires` it counts as expired, whatever
/// its status says.
struct AcmeAuthorizationRow {
    AcmeAuthorizationRow() = default;
    AcmeAuthorizationId id;
    std::string token;
    AcmeAccountId acme_account;
    std::string identifier_type;
    std::string identifier;  ///< without "*."
    bool wildcard = false;
    std::string profile;     ///< what it may be used for, and how far its validation may reach
    std::string status;
    core::TimePoint expires{};
    core::TimePoint created{}, updated{};
    std::optional<core::TimePoint> caa;  ///< when CAA permitted the name; read with the row, never inserted

    static AcmeAuthorizationRow from(const Row& row, std::size_t first = 0);
    [[nodiscard]] Values insert_values() const;
};

/// One row of `acme_challenge` (RFC 8555 §7.1.5). The token is also the key authorization's.
struct AcmeChallengeRow {
    AcmeChallengeRow() = default;
    AcmeChallengeId id;
    std::string token;
    AcmeAuthorizationId authorization;
    std::string type;
    std::string status;
    std::optional<core::TimePoint> validated;
    std::optional<std::string> error;  ///< problem document
    core::TimePoint updated{};
    // Of its attempts (RFC 8555 §8.2); read with the row, never inserted.
    std::int64_t attempts = 0;                     ///< begun so far
    std::optional<core::TimePoint> begun;          ///< the first of them
    std::optional<core::TimePoint> attempt_ends;   ///< one is under way until then at the latest; nullopt: none that is known here
    std::optional<core::TimePoint> retry;          ///< the next one is due

    static AcmeChallengeRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

/// A challenge with what its validation needs to know.
struct AcmeChallengeWork {
    AcmeChallengeWork() = default;
    AcmeChallengeRow challenge;
    AcmeAuthorizationRow authorization;
    core::EndpointId endpoint;
    std::string account_token;
    std::string thumbprint;

    static AcmeChallengeWork from(const Row& row);
};

#define POSTERN_ACME_AUTHORIZATION_COLUMNS                                                           \
    "a.id, a.token, a.acme_account_id, a.identifier_type, a.identifier, a.wildcard, a.profile, a.status, " \
    "a.expires_ms, a.created_ms, a.updated_ms, a.caa_ms"
#define POSTERN_ACME_CHALLENGE_COLUMNS \
    "c.id, c.token, c.authorization_id, c.method, c.status, c.validated_ms, c.error, c.updated_ms, " \
    "c.attempts, c.begun_ms, c.attempt_ends_ms, c.retry_ms"
#define POSTERN_ACME_WORK_SELECT                                                                            \
    "SELECT " POSTERN_ACME_CHALLENGE_COLUMNS ", " POSTERN_ACME_AUTHORIZATION_COLUMNS                        \
    ", u.endpoint_id, u.token, u.thumbprint FROM acme_challenge c "                                         \
    "JOIN acme_authorization a ON a.id = c.authorization_id JOIN acme_account u ON u.id = a.acme_account_id "

inline constexpr Statement acme_authorization_insert{
    "acme_authorization_insert",
    "INSERT INTO acme_authorization (id, token, acme_account_id, identifier_type, identifier, wildcard, profile, status, "
    "expires_ms, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
/// $1 token, $2 the account that asks
inline constexpr Statement acme_authorization_owned{
    "acme_authorization_owned", "SELECT " POSTERN_ACME_AUTHORIZATION_COLUMNS
                                " FROM acme_authorization a WHERE a.token = $1 AND a.acme_account_id = $2"};
/// Names in one question: unused ones are NULL.
inline constexpr std::size_t acme_proofs_asked = 8;
/// What an account has proven for a profile by challenges, the newest last, each with the method that proved it: $1 account,
/// $2 profile, $3 least expires_ms, $4…$11 identifiers
inline constexpr Statement acme_authorization_proofs{
    "acme_authorization_proofs",
    "SELECT " POSTERN_ACME_AUTHORIZATION_COLUMNS ", c.method FROM acme_authorization a "
    "JOIN acme_challenge c ON c.authorization_id = a.id AND c.status = 'valid' WHERE a.acme_account_id = $1 "
    "AND a.identifier IN ($4, $5, $6, $7, $8, $9, $10, $11) AND a.status = 'valid' AND a.profile = $2 AND a.expires_ms >= $3 "
    "ORDER BY a.expires_ms"};
/// Where acme_authorization_proofs has the method.
inline constexpr std::size_t acme_proof_method = 12;
/// It still counts while an order is made on it: $1 id
inline constexpr Statement acme_authorization_guard{
    "acme_authorization_guard", "SELECT 1 FROM acme_authorization WHERE id = $1 AND status = 'valid'",
    "SELECT 1 FROM acme_authorization WHERE id = $1 AND status = 'valid' FOR SHARE"};
/// $1 id, $2 updated_ms, for each end a pending authorization can come to; of a valid one $3 caa_ms or NULL
inline constexpr Statement acme_authorization_valid{
    "acme_authorization_valid",
    "UPDATE acme_authorization SET status = 'valid', updated_ms = $2, caa_ms = $3 WHERE id = $1 AND status = 'pending'"};
inline constexpr Statement acme_authorization_invalid{
    "acme_authorization_invalid",
    "UPDATE acme_authorization SET status = 'invalid', updated_ms = $2 WHERE id = $1 AND status = 'pending'"};
inline constexpr Statement acme_authorization_deactivate{
    "acme_authorization_deactivate", "UPDATE acme_authorization SET status = 'deactivated', updated_ms = $2 "
                                     "WHERE id = $1 AND status IN ('pending', 'valid')"};

inline constexpr Statement acme_challenge_insert{
    "acme_challenge_insert",
    "INSERT INTO acme_challenge (id, token, authorization_id, method, status, validated_ms, error, updated_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
inline constexpr Statement acme_challenges_of{
    "acme_challenges_of", "SELECT " POSTERN_ACME_CHALLENGE_COLUMNS
                          " FROM acme_challenge c WHERE c.authorization_id = $1 ORDER BY c.id"};
/// $1 token
inline constexpr Statement acme_challenge_work{"acme_challenge_work", POSTERN_ACME_WORK_SELECT "WHERE c.token = $1"};
/// Whose next attempt is due, or whose last one nobody ended, and those that an authorization left behind: $1 after id, $2 now
inline constexpr Statement acme_challenges_due{
    "acme_challenges_due", POSTERN_ACME_WORK_SELECT
                           "WHERE c.status = 'processing' AND c.id > $1 AND (a.status <> 'pending' OR a.expires_ms <= $2 OR "
                           "((c.attempt_ends_ms IS NULL OR c.attempt_ends_ms <= $2) AND (c.retry_ms IS NULL OR c.retry_ms <= $2))) "
                           "ORDER BY c.id LIMIT 100"};
/// An answer is given while the first attempt runs: $1 id, $2 updated_ms
inline constexpr Statement acme_challenge_processing{
    "acme_challenge_processing",
    "UPDATE acme_challenge SET status = 'processing', updated_ms = $2 WHERE id = $1 AND status = 'pending'"};
/// Takes an attempt; of any number of nodes one has it. $1 id, $2 now, $3 attempts so far, $4 attempt_ends_ms
inline constexpr Statement acme_challenge_attempt{
    "acme_challenge_attempt",
    "UPDATE acme_challenge SET status = 'processing', attempts = attempts + 1, begun_ms = COALESCE(begun_ms, $2), "
    "attempt_ends_ms = $4, retry_ms = NULL, updated_ms = $2 WHERE id = $1 AND attempts = $3 "
    "AND status IN ('pending', 'processing') AND (attempt_ends_ms IS NULL OR attempt_ends_ms <= $2)"};
/// What an attempt that proved nothing leaves is kept only while no later one began: each asks for the attempts that the store
/// knew when its own began. There will be another: $1 id, $2 updated_ms, $3 attempts, $4 begun_ms, $5 retry_ms, $6 error, $7 attempts in the store
inline constexpr Statement acme_challenge_retry{
    "acme_challenge_retry",
    "UPDATE acme_challenge SET status = 'processing', attempts = $3, begun_ms = $4, attempt_ends_ms = NULL, retry_ms = $5, "
    "error = $6, updated_ms = $2 WHERE id = $1 AND attempts = $7 AND status IN ('pending', 'processing')"};
/// Nobody could be asked: as if the challenge had not been posted, but that the attempts count on. $1 id, $2 updated_ms, $3 attempts,
/// $4 attempts in the store
inline constexpr Statement acme_challenge_unasked{
    "acme_challenge_unasked",
    "UPDATE acme_challenge SET status = 'pending', attempts = $3, begun_ms = NULL, attempt_ends_ms = NULL, retry_ms = NULL, "
    "error = NULL, updated_ms = $2 WHERE id = $1 AND attempts = $4 AND status IN ('pending', 'processing')"};
/// A proof counts whichever attempt brought it: $1 id, $2 validated_ms
inline constexpr Statement acme_challenge_valid{
    "acme_challenge_valid", "UPDATE acme_challenge SET status = 'valid', validated_ms = $2, error = NULL, attempt_ends_ms = NULL, "
                            "retry_ms = NULL, updated_ms = $2 WHERE id = $1 AND status IN ('pending', 'processing')"};
/// $1 id, $2 updated_ms, $3 error, $4 attempts in the store
inline constexpr Statement acme_challenge_invalid{
    "acme_challenge_invalid", "UPDATE acme_challenge SET status = 'invalid', error = $3, attempt_ends_ms = NULL, retry_ms = NULL, "
                              "updated_ms = $2 WHERE id = $1 AND attempts = $4 AND status IN ('pending', 'processing')"};

}  // namespace postern::store
