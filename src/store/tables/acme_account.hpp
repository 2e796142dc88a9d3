#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

using AcmeAccountId = core::Strong<std::int64_t, struct AcmeAccountIdTag>;

/// One row of `acme_account`: an account key on one endpoint (RFC 8555 §7.1.2), bound to the
/// endpoint account whose scope it acts in.
struct AcmeAccountRow {
    AcmeAccountRow() = default;
    AcmeAccountId id;
    std::string token;
    core::EndpointId endpoint;
    core::AccountId account;
    std::string thumbprint;              ///< RFC 7638
    std::string jwk;                     ///< canonical
    std::string status;                  ///< valid, deactivated, revoked
    std::string contacts;                ///< JSON array of URLs
    std::optional<std::string> binding;  ///< the externalAccountBinding that was verified, JSON
    std::optional<std::string> terms;    ///< URL of the terms that were agreed to
    std::optional<std::string> binding_kid;  ///< the key id of `binding`
    bool binding_once = false;               ///< that was good for one account
    core::TimePoint created{}, updated{};
    std::string account_status;          ///< of the endpoint account, read with the row; not inserted

    static AcmeAccountRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_ACME_ACCOUNT_COLUMNS \
    "id, token, endpoint_id, account_id, thumbprint, jwk, status, contacts, binding, terms, binding_kid, binding_once, " \
    "created_ms, updated_ms"
#define POSTERN_ACME_ACCOUNT_SELECT      \
    "SELECT " POSTERN_ACME_ACCOUNT_COLUMNS \
    ", (SELECT r.status FROM account r WHERE r.id = acme_account.account_id) FROM acme_account "

inline constexpr Statement acme_account_insert{
    "acme_account_insert", "INSERT INTO acme_account (" POSTERN_ACME_ACCOUNT_COLUMNS
                           ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
/// $1 token, $2 endpoint: a kid is good under its own directory only
inline constexpr Statement acme_account_by_token{
    "acme_account_by_token", POSTERN_ACME_ACCOUNT_SELECT "WHERE token = $1 AND endpoint_id = $2"};
/// $1 endpoint, $2 thumbprint
inline constexpr Statement acme_account_by_key{
    "acme_account_by_key", POSTERN_ACME_ACCOUNT_SELECT "WHERE endpoint_id = $1 AND thumbprint = $2"};
/// Any account of any endpoint with that key.
inline constexpr Statement acme_account_with_key{
    "acme_account_with_key", "SELECT id FROM acme_account WHERE thumbprint = $1 LIMIT 1"};
/// id, token: $1 token, at whatever endpoint
inline constexpr Statement acme_account_traced{"acme_account_traced", "SELECT id, token FROM acme_account WHERE token = $1"};
/// id, token of those that act with an endpoint account's credential, the newest: $1 account
inline constexpr Statement acme_accounts_by_credential{
    "acme_accounts_by_credential", "SELECT id, token FROM acme_account WHERE account_id = $1 ORDER BY id DESC LIMIT 20"};
/// A row once somebody has the key id, or an account that is older than this record of them: $1 endpoint account, $2 key id
inline constexpr Statement acme_account_bound_by{
    "acme_account_bound_by",
    "SELECT id FROM acme_account WHERE account_id = $1 AND (binding_kid = $2 OR binding_kid IS NULL) LIMIT 1"};
/// A row while the account stands: $1 id
inline constexpr Statement acme_account_stands{"acme_account_stands", "SELECT 1 FROM acme_account WHERE id = $1 AND status = 'valid'"};
/// The account still stands while what hangs on it is written.
inline constexpr Statement acme_account_guard{
    "acme_account_guard", "SELECT 1 FROM acme_account WHERE id = $1 AND status = 'valid'",
    "SELECT 1 FROM acme_account WHERE id = $1 AND status = 'valid' FOR SHARE"};
/// $1 id, $2 contacts, $3 updated_ms
inline constexpr Statement acme_account_contacts{
    "acme_account_contacts",
    "UPDATE acme_account SET contacts = $2, updated_ms = $3 WHERE id = $1 AND status = 'valid'"};
/// RFC 8555 §7.3.5: $1 id, $2 the thumbprint that it had, $3 the new key's, $4 that key, $5 updated_ms. A duplicate: the key is
/// another account's.
inline constexpr Statement acme_account_key{
    "acme_account_key", "UPDATE acme_account SET thumbprint = $3, jwk = $4, updated_ms = $5 "
                        "WHERE id = $1 AND thumbprint = $2 AND status = 'valid'"};
/// RFC 8555 §7.3.3: $1 id, $2 URL of the terms, $3 updated_ms
inline constexpr Statement acme_account_terms{
    "acme_account_terms", "UPDATE acme_account SET terms = $2, updated_ms = $3 WHERE id = $1 AND status = 'valid'"};
/// $1 id, $2 updated_ms
inline constexpr Statement acme_account_deactivate{
    "acme_account_deactivate",
    "UPDATE acme_account SET status = 'deactivated', updated_ms = $2 WHERE id = $1 AND status = 'valid'"};

}  // namespace postern::store
