#pragma once
#include "store/statement.hpp"

namespace postern::store {

#define POSTERN_AUDIT_COLUMNS \
    "id, at_ms, tenant_id, request_id, actor_kind, actor, action, object_kind, object_id, outcome, check_name, detail"

inline constexpr Statement audit_insert{
    "audit_insert",
    "INSERT INTO audit (" POSTERN_AUDIT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
/// at_ms of the last record
inline constexpr Statement audit_newest{"audit_newest", "SELECT at_ms FROM audit ORDER BY id DESC LIMIT 1"};
/// $1 request, $2 tenant or NULL for all
inline constexpr Statement audit_by_request{
    "audit_by_request", "SELECT " POSTERN_AUDIT_COLUMNS
                        " FROM audit WHERE request_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) "
                        "ORDER BY id LIMIT 100"};
/// $1 object kind, $2 object id, $3 tenant or NULL for all
inline constexpr Statement audit_by_object{
    "audit_by_object", "SELECT " POSTERN_AUDIT_COLUMNS
                       " FROM audit WHERE object_kind = $1 AND object_id = $2 "
                       "AND (CAST($3 AS BIGINT) IS NULL OR tenant_id = $3) ORDER BY id LIMIT 100"};

/// Refusals and failures, newest first: $1 before id, $2 tenant or NULL for all
inline constexpr Statement audit_not_done_page{
    "audit_not_done_page", "SELECT " POSTERN_AUDIT_COLUMNS
                           " FROM audit WHERE outcome <> 'done' AND id < $1 "
                           "AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id DESC LIMIT 500"};
/// The audit row of an import that goes on: $1 id, $2 action, $3 actor kind, $4 actor
inline constexpr Statement audit_import_guard{
    "audit_import_guard", "SELECT id FROM audit WHERE id = $1 AND action = $2 AND actor_kind = $3 AND actor = $4"};

}  // namespace postern::store
