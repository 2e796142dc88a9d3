#pragma once
#include <optional>
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

/// The objects that documents describe. Each kind is a table of its own with its own keys; the
/// columns they share have the same names and order, so one row struct reads them all.
namespace postern::store {

/// Shared columns; `keys` are the kind's own, in the order of its statements.
struct ObjectRow {
    ObjectRow() = default;
    std::int64_t id = 0;
    std::int64_t tenant_id = 0;
    std::string name;
    std::string status;  ///< active, disabled
    std::int64_t version = 0;
    std::string body;    ///< canonical JSON of the document's keys
    core::TimePoint created{}, updated{};
    std::string updated_by;
    Values keys;

    static ObjectRow from(const Row& row);
};

/// The statements of one kind.
struct ObjectStatements {
    std::string_view kind;  ///< "profile"
    const Statement& insert;  ///< shared columns as $1…$9, keys from $10
    const Statement& update;  ///< $1 id, $2 version expected, $3 status, $4 body, $5 updated_ms, $6 updated_by, keys from $7
    const Statement& remove;  ///< $1 id, $2 version expected
    const Statement& all;     ///< every row: $1 after id, ascending, 500 at a time
};

#define POSTERN_OBJECT_COLUMNS "id, tenant_id, name, status, version, body, created_ms, updated_ms, updated_by"
#define POSTERN_OBJECT_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9"

/// KEYS: ", protocol" or nothing; PLACES: ", $10"; SETS: ", protocol = $7"
#define POSTERN_OBJECT_KIND(KIND, KEYS, PLACES, SETS)                                                               \
    inline constexpr Statement KIND##_insert{#KIND "_insert", "INSERT INTO " #KIND " (" POSTERN_OBJECT_COLUMNS KEYS \
                                                              ") VALUES (" POSTERN_OBJECT_VALUES PLACES ")"};        \
    inline constexpr Statement KIND##_update{                                                                       \
        #KIND "_update",                                                                                            \
        "UPDATE " #KIND " SET version = version + 1, status = $3, body = $4, updated_ms = $5, updated_by = $6" SETS \
        " WHERE id = $1 AND version = $2"};                                                                         \
    inline constexpr Statement KIND##_remove{#KIND "_remove", "DELETE FROM " #KIND " WHERE id = $1 AND version = $2"}; \
    inline constexpr Statement KIND##_all{#KIND "_all", "SELECT " POSTERN_OBJECT_COLUMNS KEYS " FROM " #KIND        \
                                                        " WHERE id > $1 ORDER BY id LIMIT 500"};                    \
    inline constexpr ObjectStatements KIND##_statements{#KIND, KIND##_insert, KIND##_update, KIND##_remove, KIND##_all}

POSTERN_OBJECT_KIND(tenant, "", "", "");
POSTERN_OBJECT_KIND(organization, "", "", "");
POSTERN_OBJECT_KIND(department, ", organization_id", ", $10", ", organization_id = $7");
POSTERN_OBJECT_KIND(domain, ", organization_id", ", $10", ", organization_id = $7");
POSTERN_OBJECT_KIND(backend, "", "", "");
POSTERN_OBJECT_KIND(profile, "", "", "");
POSTERN_OBJECT_KIND(endpoint, ", protocol", ", $10", ", protocol = $7");
POSTERN_OBJECT_KIND(azure_account, ", credential_sealed, proxy_password_sealed", ", $10, $11",
                    ", credential_sealed = $7, proxy_password_sealed = $8");
POSTERN_OBJECT_KIND(account, ", endpoint_id, organization_id, department_id, method, public_id, secret_sealed",
                    ", $10, $11, $12, $13, $14, $15",
                    ", endpoint_id = $7, organization_id = $8, department_id = $9, method = $10, public_id = $11, "
                    "secret_sealed = $12");

#define POSTERN_ACCOUNT_COLUMNS \
    POSTERN_OBJECT_COLUMNS ", endpoint_id, organization_id, department_id, method, public_id, secret_sealed"
inline constexpr Statement account_by_id{"account_by_id", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE id = $1"};
inline constexpr Statement account_by_public_id{
    "account_by_public_id",
    "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND public_id = $2"};
/// id, tenant's name, name of endpoint accounts so called: $1 name, $2 tenant or NULL for all, $3 that
/// tenant's name or NULL
inline constexpr Statement account_by_name{
    "account_by_name",
    "SELECT a.id, t.name, a.name FROM account a JOIN tenant t ON t.id = a.tenant_id WHERE a.name = $1 "
    "AND (CAST($2 AS BIGINT) IS NULL OR a.tenant_id = $2) AND (CAST($3 AS TEXT) IS NULL OR t.name = $3) ORDER BY a.id LIMIT 20"};
inline constexpr Statement account_open{
    "account_open", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND method = 'open'"};
/// Those of all endpoints that are in use: $1 after id, $2 method
inline constexpr Statement account_all_of_method{
    "account_all_of_method", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE id > $1 AND method = $2 AND status = 'active' ORDER BY id LIMIT 500"};
inline constexpr Statement account_by_method{
    "account_by_method",
    "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND method = $2 ORDER BY id LIMIT 1"};

inline constexpr Statement configuration_version{"configuration_version", "SELECT version FROM configuration WHERE id = 1"};
/// $1 the version that the plan was made from
inline constexpr Statement configuration_advance{
    "configuration_advance", "UPDATE configuration SET version = version + 1 WHERE id = 1 AND version = $1"};
/// For a change that no plan was made for: every node reads the catalog anew.
inline constexpr Statement configuration_raise{
    "configuration_raise", "UPDATE configuration SET version = version + 1 WHERE id = 1"};

}  // namespace postern::store
