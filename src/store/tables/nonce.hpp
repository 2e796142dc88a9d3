#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// Nonces of several nodes. Whether one was used is decided by the row that using it adds.

/// epoch, oldest_s; no row after a crash of the database server.
inline constexpr Statement nonce_epoch_read{"nonce_epoch_read", "SELECT epoch, oldest_s FROM nonce_epoch WHERE id = 1"};
/// $1 epoch; the first writer wins.
inline constexpr Statement nonce_epoch_begin{
    "nonce_epoch_begin", "INSERT INTO nonce_epoch (id, epoch, oldest_s) VALUES (1, $1, 0) ON CONFLICT (id) DO NOTHING"};
/// Ends it: what was issued before is refused, by a database that lost what was used since.
inline constexpr Statement nonce_epoch_end{"nonce_epoch_end", "DELETE FROM nonce_epoch WHERE id = 1"};
/// Ends it, if it is still $1 epoch.
inline constexpr Statement nonce_epoch_leave{"nonce_epoch_leave", "DELETE FROM nonce_epoch WHERE id = 1 AND epoch = $1"};
/// $1 epoch, $2 number, $3 issued_s: one row, or it was used, its epoch ended, or it is too old.
inline constexpr Statement nonce_use{
    "nonce_use",
    "INSERT INTO nonce_used (issued_s, number) SELECT $3, $2 FROM nonce_epoch WHERE id = 1 AND epoch = $1 AND oldest_s <= $3 "
    "ON CONFLICT (issued_s, number) DO NOTHING",
    "INSERT INTO nonce_used (issued_s, number) SELECT CAST($3 AS BIGINT), CAST($2 AS BYTEA) FROM nonce_epoch "
    "WHERE id = 1 AND epoch = CAST($1 AS BIGINT) AND oldest_s <= CAST($3 AS BIGINT) ON CONFLICT (issued_s, number) DO NOTHING"};
/// From now on nothing issued before $2 is accepted: $1 epoch. Rows before it are of no use any more.
inline constexpr Statement nonce_epoch_raise{
    "nonce_epoch_raise", "UPDATE nonce_epoch SET oldest_s = $2 WHERE id = 1 AND epoch = $1 AND oldest_s < $2"};
/// issued_s of the oldest that is remembered
inline constexpr Statement nonce_oldest{"nonce_oldest", "SELECT issued_s FROM nonce_used ORDER BY issued_s LIMIT 1"};
/// $1 issued before, $2 so many at a time, the oldest
inline constexpr Statement nonce_forget{
    "nonce_forget",
    "DELETE FROM nonce_used WHERE (issued_s, number) IN (SELECT issued_s, number FROM nonce_used WHERE issued_s < $1 ORDER BY issued_s, number LIMIT $2)"};

}  // namespace postern::store
