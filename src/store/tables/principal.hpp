#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// id, tenant_id, name, role, status, token_hash, expires_ms, created_ms, created_by
inline constexpr Statement principal_insert{
    "principal_insert",
    "INSERT INTO principal (id, tenant_id, name, role, status, token_hash, expires_ms, created_ms, created_by) "
    "VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8)"};
/// name, role, tenant_id, expires_ms of an active principal, whose tenant is active too: $1 token hash
inline constexpr Statement principal_by_token{
    "principal_by_token",
    "SELECT p.name, p.role, p.tenant_id, p.expires_ms FROM principal p LEFT JOIN tenant t ON t.id = p.tenant_id "
    "WHERE p.token_hash = $1 AND p.status = 'active' AND (p.tenant_id IS NULL OR t.status = 'active')"};

/// id, tenant_id, name, role, status, expires_ms, created_ms, created_by: $1 after id, $2 tenant or NULL for all
inline constexpr Statement principal_page{
    "principal_page",
    "SELECT id, tenant_id, name, role, status, expires_ms, created_ms, created_by FROM principal "
    "WHERE id > $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id LIMIT 500"};
/// id, tenant_id, status: $1 name, $2 tenant or NULL for all
inline constexpr Statement principal_by_name{
    "principal_by_name",
    "SELECT id, tenant_id, status FROM principal WHERE name = $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2)"};
/// $1 id, $2 the status it has, $3 the one it gets: one row, or somebody was first
inline constexpr Statement principal_status{
    "principal_status", "UPDATE principal SET status = $3 WHERE id = $1 AND status = $2"};

}  // namespace postern::store
