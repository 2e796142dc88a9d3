#pragma once
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// A revocation that a foreign CA has not confirmed, in the order of POSTERN_REVOCATION_REQUEST_COLUMNS.
struct RevocationRequestRow {
    RevocationRequestRow() = default;
    core::CertificateId certificate;
    std::int64_t reason = 0;
    std::string actor_kind, actor;
    core::RequestId request;
    std::int64_t fence = 0, asked = 0;
    std::string last_error;
    core::TimePoint due{}, created{};

    static RevocationRequestRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_REVOCATION_REQUEST_COLUMNS \
    "certificate_id, reason, actor_kind, actor, request_id, fence, asked, last_error, due_ms, created_ms"

inline constexpr Statement revocation_request_insert{
    "revocation_request_insert",
    "INSERT INTO revocation_request (" POSTERN_REVOCATION_REQUEST_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
/// $1 certificate
inline constexpr Statement revocation_request_of{
    "revocation_request_of", "SELECT " POSTERN_REVOCATION_REQUEST_COLUMNS " FROM revocation_request WHERE certificate_id = $1"};
/// The backends that are to be asked, each by itself: $1 now
inline constexpr Statement revocation_request_backends{
    "revocation_request_backends", "SELECT DISTINCT c.backend FROM revocation_request r JOIN certificate c ON c.id = r.certificate_id WHERE r.due_ms <= $1"};
/// Oldest due first: $1 now, $2 backend, $3 limit
inline constexpr Statement revocation_request_due{
    "revocation_request_due",
    "SELECT r.certificate_id, r.reason, r.actor_kind, r.actor, r.request_id, r.fence, r.asked, r.last_error, r.due_ms, r.created_ms "
    "FROM revocation_request r JOIN certificate c ON c.id = r.certificate_id WHERE r.due_ms <= $1 AND c.backend = $2 ORDER BY r.due_ms LIMIT $3"};
/// How many no CA has confirmed.
inline constexpr Statement revocation_request_count{"revocation_request_count", "SELECT count(*) FROM revocation_request"};
/// $1 certificate, $2 the fence that was read, $3 until when others leave it alone
inline constexpr Statement revocation_request_take{
    "revocation_request_take",
    "UPDATE revocation_request SET fence = fence + 1, asked = asked + 1, due_ms = $3 WHERE certificate_id = $1 AND fence = $2"};
/// Somebody gives a graver reason. Whoever asks with the old one loses the fence: $1 certificate, $2 reason, $3 actor
/// kind, $4 actor, $5 request
inline constexpr Statement revocation_request_raise{
    "revocation_request_raise",
    "UPDATE revocation_request SET reason = $2, actor_kind = $3, actor = $4, request_id = $5, fence = fence + 1 "
    "WHERE certificate_id = $1 AND reason <> $2"};
/// $1 certificate, $2 fence, $3 due_ms, $4 error
inline constexpr Statement revocation_request_failed{
    "revocation_request_failed", "UPDATE revocation_request SET due_ms = $3, last_error = $4 WHERE certificate_id = $1 AND fence = $2"};
/// Confirmed or refused: $1 certificate, $2 the fence it was asked under. A graver wish that came meanwhile stays.
inline constexpr Statement revocation_request_delete{
    "revocation_request_delete", "DELETE FROM revocation_request WHERE certificate_id = $1 AND fence = $2"};

}  // namespace postern::store
