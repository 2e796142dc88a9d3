#pragma once
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `blocked_key`.
struct BlockedKeyRow {
    BlockedKeyRow() = default;
    core::Bytes digest;
    std::string reason, source;
    std::int64_t audit = 0;  ///< the audit row that tells who blocked it
    core::TimePoint created{};

    static BlockedKeyRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_BLOCKED_KEY_COLUMNS "digest, reason, source, audit_id, created_ms"

/// The first reason stays: a list that is imported again changes nothing.
inline constexpr Statement blocked_key_insert{
    "blocked_key_insert", "INSERT INTO blocked_key (" POSTERN_BLOCKED_KEY_COLUMNS
                          ") VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING"};
/// $1…$6: digests of up to two keys, NULL where there are fewer.
inline constexpr Statement blocked_key_find{
    "blocked_key_find", "SELECT " POSTERN_BLOCKED_KEY_COLUMNS
                        " FROM blocked_key WHERE digest IN ($1, $2, $3, $4, $5, $6) ORDER BY digest LIMIT 6"};
/// One row while none of them is blocked: $1…$6 as above.
inline constexpr Statement blocked_key_none{
    "blocked_key_none", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM blocked_key WHERE digest IN ($1, $2, $3, $4, $5, $6))"};
/// $1 after digest, $2 limit
inline constexpr Statement blocked_key_page{
    "blocked_key_page",
    "SELECT " POSTERN_BLOCKED_KEY_COLUMNS " FROM blocked_key WHERE digest > $1 ORDER BY digest LIMIT $2"};
inline constexpr Statement blocked_key_remove{"blocked_key_remove", "DELETE FROM blocked_key WHERE digest = $1"};

}  // namespace postern::store
