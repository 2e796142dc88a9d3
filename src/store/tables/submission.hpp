#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

/// Requests in the hands of CAs that are not ours.
namespace postern::store {

/// One row of `submission`, in the order of POSTERN_SUBMISSION_COLUMNS.
struct SubmissionRow {
    SubmissionRow() = default;
    core::EnrollmentId enrollment;
    core::TenantId tenant;
    std::string backend;
    std::string state;  ///< sent, pending, lost, held
    std::string node;   ///< who hands it over
    std::optional<std::string> handle;
    std::string content;  ///< what was authorised, JSON (ca::to_json)
    std::optional<std::string> received;
    std::int64_t fence = 0;
    std::int64_t asked = 0;  ///< how often the CA was asked what became of it
    core::TimePoint sent{}, due{};

    static SubmissionRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_SUBMISSION_COLUMNS \
    "enrollment_id, tenant_id, backend, state, node, handle, content, received, fence, asked, sent_ms, due_ms"

inline constexpr Statement submission_insert{
    "submission_insert", "INSERT INTO submission (" POSTERN_SUBMISSION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
/// $1 enrollment
inline constexpr Statement submission_by_enrollment{
    "submission_by_enrollment", "SELECT " POSTERN_SUBMISSION_COLUMNS " FROM submission WHERE enrollment_id = $1"};
/// Oldest due first: $1 now, $2 limit
inline constexpr Statement submission_due{
    "submission_due", "SELECT " POSTERN_SUBMISSION_COLUMNS " FROM submission WHERE state <> 'held' AND due_ms <= $1 ORDER BY due_ms LIMIT $2"};
/// What an earlier life of a node was handing over is nobody's work any more: $1 node, $2 now
inline constexpr Statement submission_abandoned{
    "submission_abandoned", "UPDATE submission SET state = 'lost', fence = fence + 1, due_ms = $2 WHERE state = 'sent' AND node = $1"};
/// Its node is still handing it over: looked at again later, and its answer still counts. $1 enrollment, $2 fence, $3 due_ms
inline constexpr Statement submission_postpone{
    "submission_postpone", "UPDATE submission SET due_ms = $3 WHERE enrollment_id = $1 AND fence = $2 AND state = 'sent'"};
/// One at a time asks what became of it: $1 enrollment, $2 the fence that was read, $3 until when
inline constexpr Statement submission_take{
    "submission_take", "UPDATE submission SET fence = fence + 1, asked = asked + 1, due_ms = $3 "
                       "WHERE enrollment_id = $1 AND fence = $2 AND state <> 'held'"};
/// $1 enrollment, $2 fence, $3 handle, $4 due_ms
inline constexpr Statement submission_pending{
    "submission_pending", "UPDATE submission SET state = 'pending', handle = $3, due_ms = $4 WHERE enrollment_id = $1 AND fence = $2"};
/// $1 enrollment, $2 fence, $3 due_ms
inline constexpr Statement submission_lost{
    "submission_lost", "UPDATE submission SET state = 'lost', due_ms = $3 WHERE enrollment_id = $1 AND fence = $2"};
/// For an officer: $1 enrollment, $2 fence, $3 what came back or NULL
inline constexpr Statement submission_held{
    "submission_held", "UPDATE submission SET state = 'held', fence = fence + 1, received = $3 WHERE enrollment_id = $1 AND fence = $2"};
/// It has its outcome: $1 enrollment, $2 fence. What was given up meanwhile is not found.
inline constexpr Statement submission_delete{"submission_delete", "DELETE FROM submission WHERE enrollment_id = $1 AND fence = $2"};
/// How many wait for an officer.
inline constexpr Statement submission_held_count{"submission_held_count", "SELECT count(*) FROM submission WHERE state = 'held'"};

/// Open requests for a list, rising: POSTERN_REQUEST_COLUMNS. $1 after id, $2 limit, $3 tenant or NULL, $4 TRUE: held ones only
#define POSTERN_REQUEST_COLUMNS \
    "e.id, e.request_id, t.name, e.status, e.names, e.backend, s.state, s.asked, s.sent_ms, s.due_ms, e.problem"
inline constexpr Statement request_page{
    "request_page", "SELECT " POSTERN_REQUEST_COLUMNS " FROM submission s JOIN enrollment e ON e.id = s.enrollment_id "
                    "JOIN tenant t ON t.id = e.tenant_id WHERE s.enrollment_id > $1 "
                    "AND (CAST($3 AS BIGINT) IS NULL OR s.tenant_id = $3) AND (s.state = 'held' OR NOT CAST($4 AS BOOLEAN)) "
                    "ORDER BY s.enrollment_id LIMIT $2"};
/// An open one by the id that logs and problem documents show: $1 request id
inline constexpr Statement submission_by_request{
    "submission_by_request", "SELECT s.enrollment_id FROM submission s JOIN enrollment e ON e.id = s.enrollment_id WHERE e.request_id = $1"};

/// The CA said no: $1 id, $2 updated_ms, $3 problem JSON. The attempt binds nothing more.
inline constexpr Statement enrollment_rejected{
    "enrollment_rejected", "UPDATE enrollment SET status = 'rejected', attempt_bound = FALSE, problem = $3, updated_ms = $2 "
                           "WHERE id = $1 AND status = 'submitted'"};
/// Nobody knows whether it was issued: $1 id, $2 updated_ms, $3 problem JSON. The attempt stays bound.
inline constexpr Statement enrollment_unknown{
    "enrollment_unknown", "UPDATE enrollment SET status = 'unknown', problem = $3, updated_ms = $2 "
                          "WHERE id = $1 AND status = 'submitted'"};
/// An officer found out: it was issued. $1 id, $2 updated_ms
inline constexpr Statement enrollment_found_issued{
    "enrollment_found_issued", "UPDATE enrollment SET status = 'issued', problem = NULL, updated_ms = $2 "
                               "WHERE id = $1 AND status IN ('unknown', 'quarantined')"};
/// Or it was not: $1 id, $2 updated_ms, $3 problem JSON
inline constexpr Statement enrollment_found_absent{
    "enrollment_found_absent", "UPDATE enrollment SET status = 'invalid', attempt_bound = FALSE, problem = $3, updated_ms = $2 "
                               "WHERE id = $1 AND status IN ('unknown', 'quarantined')"};

/// The newest verified chain of a foreign issuer, as that backend's trust anchors end it: another tenant may declare another
/// root above the same issuer. So the key is both. $1 backend, $2 issuer, $3 PEM, $4 updated_ms
inline constexpr Statement issuer_chain_set{
    "issuer_chain_set", "INSERT INTO issuer_chain (issuer_key_id, chain, updated_ms) VALUES (CAST($1 AS TEXT) || ' ' || CAST($2 AS TEXT), $3, $4) "
                        "ON CONFLICT (issuer_key_id) DO UPDATE SET chain = excluded.chain, updated_ms = excluded.updated_ms"};
/// $1 backend, $2 issuer. Before there were two parts the issuer alone was the key.
inline constexpr Statement issuer_chain_of{
    "issuer_chain_of", "SELECT chain FROM issuer_chain WHERE issuer_key_id IN (CAST($1 AS TEXT) || ' ' || CAST($2 AS TEXT), CAST($2 AS TEXT)) "
                       "ORDER BY issuer_key_id = CAST($2 AS TEXT) LIMIT 1"};
/// $1 backend: of the issuer that was seen last, the issuer first. A backend has few.
inline constexpr Statement issuer_chain_newest{
    "issuer_chain_newest", "SELECT chain FROM issuer_chain WHERE substr(issuer_key_id, 1, length(CAST($1 AS TEXT)) + 1) = CAST($1 AS TEXT) || ' ' "
                           "ORDER BY updated_ms DESC LIMIT 1"};

}  // namespace postern::store
