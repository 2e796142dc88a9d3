#pragma once
#include "store/statement.hpp"

/// Requests by what they name (V0017). A key is a name's text (crypto::to_text) in lower case, at most 512 octets of it.
namespace postern::store {

/// $1 key, $2 enrollment. It may be there already.
inline constexpr Statement enrollment_name_put{
    "enrollment_name_put", "INSERT INTO enrollment_name (name, enrollment_id) VALUES ($1, $2) ON CONFLICT (name, enrollment_id) DO NOTHING"};
/// Ids, the newest first: $1 key, $2 tenant or NULL, $3 limit
inline constexpr Statement enrollment_by_name{
    "enrollment_by_name", "SELECT n.enrollment_id FROM enrollment_name n JOIN enrollment e ON e.id = n.enrollment_id "
                          "WHERE n.name = $1 AND (CAST($2 AS BIGINT) IS NULL OR e.tenant_id = $2) ORDER BY n.enrollment_id DESC LIMIT $3"};

}  // namespace postern::store
