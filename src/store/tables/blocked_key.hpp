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
// Every issuance asks both of these. One look-up a digest: for a list, SQLite makes a temporary table each time, which costs
// more than the six look-ups.
#define POSTERN_BLOCKED_KEY_AT(PLACE) "SELECT " POSTERN_BLOCKED_KEY_COLUMNS " FROM blocked_key WHERE digest = " PLACE
#define POSTERN_KEY_NOT_BLOCKED(PLACE) "NOT EXISTS (SELECT 1 FROM blocked_key WHERE digest = " PLACE ")"
/// $1…$6: digests of up to two keys, NULL where there are fewer. In no order; a digest that is asked for twice is found twice.
inline constexpr Statement blocked_key_find{
    "blocked_key_find", POSTERN_BLOCKED_KEY_AT("$1") " UNION ALL " POSTERN_BLOCKED_KEY_AT("$2") " UNION ALL " POSTERN_BLOCKED_KEY_AT("$3")
                        " UNION ALL " POSTERN_BLOCKED_KEY_AT("$4") " UNION ALL " POSTERN_BLOCKED_KEY_AT("$5") " UNION ALL " POSTERN_BLOCKED_KEY_AT("$6")};
/// One row while none of them is blocked: $1…$6 as above.
inline constexpr Statement blocked_key_none{
    "blocked_key_none", "SELECT 1 WHERE " POSTERN_KEY_NOT_BLOCKED("$1") " AND " POSTERN_KEY_NOT_BLOCKED("$2") " AND " POSTERN_KEY_NOT_BLOCKED("$3")
                        " AND " POSTERN_KEY_NOT_BLOCKED("$4") " AND " POSTERN_KEY_NOT_BLOCKED("$5") " AND " POSTERN_KEY_NOT_BLOCKED("$6")};
#undef POSTERN_BLOCKED_KEY_AT
#undef POSTERN_KEY_NOT_BLOCKED
/// $1 after digest, $2 limit
inline constexpr Statement blocked_key_page{
    "blocked_key_page",
    "SELECT " POSTERN_BLOCKED_KEY_COLUMNS " FROM blocked_key WHERE digest > $1 ORDER BY digest LIMIT $2"};
inline constexpr Statement blocked_key_remove{"blocked_key_remove", "DELETE FROM blocked_key WHERE digest = $1"};

}  // namespace postern::store
