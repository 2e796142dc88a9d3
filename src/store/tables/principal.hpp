#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// id, tenant_id, name, role, status, token_hash, expires_ms, created_ms, created_by
inline constexpr Statement principal_insert{
    "principal_insert",
    "INSERT INTO principal (id, tenant_id, name, role, status, token_hash, expires_ms, created_ms, created_by) "
    "VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8)"};
/// name, role, tenant_id, expires_ms of an active principal: $1 token hash
inline constexpr Statement principal_by_token{
    "principal_by_token",
    "SELECT name, role, tenant_id, expires_ms FROM principal WHERE token_hash = $1 AND status = 'active'"};

}  // namespace postern::store
