#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// What a restored installation takes back of the time before its backup. Each goes through whole
/// tables, once, before anybody is served.

/// $1 updated_ms, $2 error
inline constexpr Statement acme_order_void_all{
    "acme_order_void_all", "UPDATE acme_order SET status = 'invalid', error = $2, updated_ms = $1 "
                           "WHERE status IN ('pending', 'ready') AND enrollment_id IS NULL"};
/// $1 updated_ms
inline constexpr Statement acme_authorization_void_all{
    "acme_authorization_void_all",
    "UPDATE acme_authorization SET status = CASE status WHEN 'valid' THEN 'revoked' ELSE 'invalid' END, updated_ms = $1 "
    "WHERE status IN ('pending', 'valid')"};
/// $1 updated_ms, $2 error
inline constexpr Statement acme_challenge_void_all{
    "acme_challenge_void_all", "UPDATE acme_challenge SET status = 'invalid', error = $2, updated_ms = $1 "
                               "WHERE status IN ('pending', 'processing')"};
/// Requests whose serial was drawn here and whose outcome only the lost server knows: $1 after id,
/// $2 an empty serial
inline constexpr Statement enrollment_in_doubt{
    "enrollment_in_doubt", "SELECT id FROM enrollment WHERE status = 'submitted' AND id > $1 AND serial IS NOT NULL AND serial <> $2 "
                           "ORDER BY id LIMIT 500"};
/// $1 updated_ms, $2 problem JSON, $3 an empty serial: as enrollment_in_doubt lists them
inline constexpr Statement enrollment_unknown_all{
    "enrollment_unknown_all", "UPDATE enrollment SET status = 'unknown', problem = $2, updated_ms = $1 "
                              "WHERE status = 'submitted' AND serial IS NOT NULL AND serial <> $3"};
/// Whether one was used since the backup, nobody here knows; what was used before stays used.
inline constexpr Statement scep_challenge_void_all{
    "scep_challenge_void_all",
    "UPDATE scep_challenge SET status = 'withdrawn' WHERE status = 'open' AND NOT EXISTS "
    "(SELECT 1 FROM credential_use u WHERE u.endpoint_id = scep_challenge.endpoint_id AND u.digest = scep_challenge.digest AND u.state = 'consumed')"};
/// Names of those whose token goes: $1 after name
inline constexpr Statement principal_names{
    "principal_names", "SELECT name FROM principal WHERE name > $1 ORDER BY name LIMIT 500"};
inline constexpr Statement principal_remove_all{"principal_remove_all", "DELETE FROM principal"};
/// id, tenant, name of accounts with a secret: $1 after id
inline constexpr Statement account_with_secret{
    "account_with_secret", "SELECT a.id, t.name, a.name FROM account a JOIN tenant t ON t.id = a.tenant_id "
                           "WHERE a.secret_sealed IS NOT NULL AND a.id > $1 ORDER BY a.id LIMIT 500"};
/// $1 updated_ms, $2 updated_by
inline constexpr Statement account_void_secrets{
    "account_void_secrets", "UPDATE account SET secret_sealed = NULL, version = version + 1, updated_ms = $1, updated_by = $2 "
                            "WHERE secret_sealed IS NOT NULL"};

}  // namespace postern::store
