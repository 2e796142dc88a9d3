#pragma once
#include <optional>
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// A message as it is read to be sent.
struct OutboxRow {
    OutboxRow() = default;
    std::string id;
    std::string kind;
    std::string body;
    std::int64_t fence = 0;
    std::int64_t failures = 0;

    static OutboxRow from(const Row& row);
};

/// A message as people look at it.
struct OutboxEntry {
    OutboxEntry() = default;
    std::string id;
    std::string kind;
    std::string body;
    std::int64_t failures = 0;
    std::string last_error;  ///< empty: none yet
    core::TimePoint created;

    static OutboxEntry from(const Row& row);
};

/// $1 id, $2 kind, $3 body, $4 due_ms and created_ms
inline constexpr Statement outbox_insert{
    "outbox_insert",
    "INSERT INTO outbox (id, kind, body, status, holder, fence, failures, last_error, due_ms, created_ms) "
    "VALUES ($1, $2, $3, 'waiting', NULL, 0, 0, NULL, $4, $4)"};
/// $1 id, $2 kind, $3 body, $4 due_ms, $5 created_ms
inline constexpr Statement outbox_insert_later{
    "outbox_insert_later",
    "INSERT INTO outbox (id, kind, body, status, holder, fence, failures, last_error, due_ms, created_ms) "
    "VALUES ($1, $2, $3, 'waiting', NULL, 0, 0, NULL, $4, $5)"};
/// It was delivered without the outbox, or there is nothing to tell any more: $1 id
inline constexpr Statement outbox_take_back{"outbox_take_back", "DELETE FROM outbox WHERE id = $1"};
/// $1 kind, $2 now, $3 limit
inline constexpr Statement outbox_due{
    "outbox_due", "SELECT id, kind, body, fence, failures FROM outbox WHERE kind = $1 AND status = 'waiting' "
                  "AND due_ms <= $2 ORDER BY due_ms LIMIT $3"};
/// $1 kind, $2 holder, $3 now: what an earlier life of this node was sending
inline constexpr Statement outbox_reclaim{
    "outbox_reclaim", "UPDATE outbox SET due_ms = $3 WHERE kind = $1 AND status = 'waiting' AND due_ms > $3 AND holder = $2"};
/// $1 id, $2 the fence that was read, $3 holder, $4 until when: one row, or another node has it
inline constexpr Statement outbox_claim{
    "outbox_claim", "UPDATE outbox SET holder = $3, fence = fence + 1, due_ms = $4 "
                    "WHERE id = $1 AND fence = $2 AND status = 'waiting'"};
/// $1 id, $2 fence of the claim
inline constexpr Statement outbox_delivered{"outbox_delivered", "DELETE FROM outbox WHERE id = $1 AND fence = $2"};
/// $1 id, $2 fence of the claim, $3 due_ms of the next try, $4 error
inline constexpr Statement outbox_failed{
    "outbox_failed", "UPDATE outbox SET holder = NULL, failures = failures + 1, last_error = $4, due_ms = $3 "
                     "WHERE id = $1 AND fence = $2 AND status = 'waiting'"};
/// No further try: $1 id, $2 fence of the claim, $3 error
inline constexpr Statement outbox_park{
    "outbox_park", "UPDATE outbox SET status = 'parked', holder = NULL, failures = failures + 1, last_error = $3 "
                   "WHERE id = $1 AND fence = $2 AND status = 'waiting'"};
/// When the oldest message of a kind that still waits was written: $1 kind
inline constexpr Statement outbox_oldest{
    "outbox_oldest", "SELECT created_ms FROM outbox WHERE kind = $1 AND status = 'waiting' ORDER BY created_ms LIMIT 1"};
/// $1 kind
inline constexpr Statement outbox_parked{
    "outbox_parked", "SELECT count(*) FROM outbox WHERE kind = $1 AND status = 'parked'"};

/// For people: $1 after id, $2 limit, $3 status
inline constexpr Statement outbox_page{
    "outbox_page", "SELECT id, kind, body, failures, last_error, created_ms FROM outbox WHERE id > $1 AND status = $3 ORDER BY id LIMIT $2"};
/// $1 id
inline constexpr Statement outbox_parked_by_id{
    "outbox_parked_by_id", "SELECT id, kind, body, failures, last_error, created_ms FROM outbox WHERE id = $1 AND status = 'parked'"};
/// From the beginning: $1 id, $2 due_ms
inline constexpr Statement outbox_retry{
    "outbox_retry", "UPDATE outbox SET status = 'waiting', failures = 0, due_ms = $2 WHERE id = $1 AND status = 'parked'"};
/// $1 id
inline constexpr Statement outbox_drop{"outbox_drop", "DELETE FROM outbox WHERE id = $1 AND status = 'parked'"};

}  // namespace postern::store
