#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

/// Requests that an officer decides, and what was decided.
namespace postern::store {

/// One row of `approval`, in the order of POSTERN_APPROVAL_COLUMNS.
struct ApprovalRow {
    ApprovalRow() = default;
    core::EnrollmentId enrollment;
    core::TenantId tenant;
    std::string asked_by;  ///< "principal alice": who had it asked for; empty: nobody by name
    std::string content;   ///< what it resolved to when an officer was asked, JSON
    std::string trace;     ///< JSON, Trace::to_json
    std::optional<core::TimePoint> wished_from, wished_until;
    core::TimePoint asked{}, limit{};
    std::optional<core::TimePoint> due;
    std::optional<std::string> decision;  ///< approved, declined
    std::optional<std::string> decided_by;
    std::optional<core::TimePoint> decided;
    std::optional<std::string> message;
    core::Bytes decided_hash;
    std::optional<core::TimePoint> delivered;
    std::string issuer_key_id;  ///< which CA the client asked for; empty: the one of the day

    static ApprovalRow from(const Row& row);
    /// For approval_put.
    [[nodiscard]] Values put_values() const;
};

#define POSTERN_APPROVAL_COLUMNS                                                                                       \
    "enrollment_id, tenant_id, asked_by, content, trace, wished_from_ms, wished_until_ms, asked_ms, limit_ms, due_ms, " \
    "decision, decided_by, decided_ms, message, decided_hash, delivered_ms, issuer_key_id"

/// An officer is asked, or asked again about what it resolves to now; who asked, for which dates and of which CA stays.
inline constexpr Statement approval_put{
    "approval_put",
    "INSERT INTO approval (enrollment_id, tenant_id, asked_by, content, trace, wished_from_ms, wished_until_ms, asked_ms, limit_ms, due_ms, issuer_key_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10) ON CONFLICT (enrollment_id) DO UPDATE SET content = excluded.content, trace = excluded.trace, "
    "asked_ms = excluded.asked_ms, limit_ms = excluded.limit_ms, due_ms = excluded.due_ms, decision = NULL, decided_by = NULL, decided_ms = NULL, "
    "message = NULL, decided_hash = NULL"};
/// $1 enrollment
inline constexpr Statement approval_of{"approval_of", "SELECT " POSTERN_APPROVAL_COLUMNS " FROM approval WHERE enrollment_id = $1"};
/// enrollment, status of what something happens to now, oldest first: $1 now, $2 limit
inline constexpr Statement approval_due{
    "approval_due", "SELECT a.enrollment_id, e.status FROM approval a JOIN enrollment e ON e.id = a.enrollment_id "
                    "WHERE a.due_ms IS NOT NULL AND a.due_ms <= $1 ORDER BY a.due_ms LIMIT $2"};
/// How many wait for a decision.
inline constexpr Statement approval_waiting_count{
    "approval_waiting_count", "SELECT count(*) FROM approval a JOIN enrollment e ON e.id = a.enrollment_id "
                              "WHERE a.due_ms IS NOT NULL AND e.status = 'pending_approval'"};
/// id, request, tenant, status, names, backend, asked_ms, limit_ms, problem, profile, account of open ones, rising:
/// $1 after id, $2 limit, $3 tenant or NULL, $4 status, or NULL for all but what was declined
inline constexpr Statement approval_page{
    "approval_page",
    "SELECT e.id, e.request_id, t.name, e.status, e.names, e.backend, a.asked_ms, a.limit_ms, e.problem, p.name, c.name "
    "FROM approval a JOIN enrollment e ON e.id = a.enrollment_id JOIN tenant t ON t.id = a.tenant_id "
    "JOIN profile p ON p.id = e.profile_id JOIN account c ON c.id = e.account_id "
    "WHERE a.due_ms IS NOT NULL AND a.enrollment_id > $1 AND (CAST($3 AS BIGINT) IS NULL OR a.tenant_id = $3) "
    "AND e.status = COALESCE(CAST($4 AS TEXT), e.status) AND (CAST($4 AS TEXT) IS NOT NULL OR e.status <> 'declined') "
    "ORDER BY a.enrollment_id LIMIT $2"};
/// An open one by the id that logs show: $1 request id
inline constexpr Statement approval_by_request{
    "approval_by_request", "SELECT a.enrollment_id FROM approval a JOIN enrollment e ON e.id = a.enrollment_id "
                           "WHERE a.due_ms IS NOT NULL AND e.request_id = $1"};
/// $1 enrollment, $2 decision, $3 by whom, $4 decided_ms, $5 message, $6 the content that was seen, $7 due_ms. Not after its limit.
inline constexpr Statement approval_decided{
    "approval_decided", "UPDATE approval SET decision = $2, decided_by = $3, decided_ms = $4, message = $5, decided_hash = $6, due_ms = $7 "
                        "WHERE enrollment_id = $1 AND due_ms IS NOT NULL AND limit_ms > $4"};
/// Tried again later: $1 enrollment, $2 due_ms
inline constexpr Statement approval_postponed{"approval_postponed", "UPDATE approval SET due_ms = $2 WHERE enrollment_id = $1"};
/// Nothing more happens without anybody's doing: $1 enrollment
inline constexpr Statement approval_closed{"approval_closed", "UPDATE approval SET due_ms = NULL WHERE enrollment_id = $1 AND due_ms IS NOT NULL"};
/// $1 enrollment, $2 now
inline constexpr Statement approval_delivered{
    "approval_delivered", "UPDATE approval SET delivered_ms = $2 WHERE enrollment_id = $1 AND delivered_ms IS NULL"};
/// All that are open, when an installation is restored.
inline constexpr Statement approval_closed_all{"approval_closed_all", "UPDATE approval SET due_ms = NULL WHERE due_ms IS NOT NULL"};

// The states of the enrollment beside it.

/// $1 id, $2 updated_ms, $3 the content that was seen, $4 the status that was seen: a yes overrules no no that nobody told of
inline constexpr Statement enrollment_approved{
    "enrollment_approved", "UPDATE enrollment SET status = 'approved', pending_reason = '', problem = NULL, updated_ms = $2 "
                           "WHERE id = $1 AND status IN ('pending_approval', 'declined') AND status = $4 AND content_hash = $3"};
/// $1 id, $2 updated_ms, $3 problem JSON, $4 the content that was seen. The attempt stays bound: an officer may think otherwise.
inline constexpr Statement enrollment_declined{
    "enrollment_declined", "UPDATE enrollment SET status = 'declined', problem = $3, updated_ms = $2 "
                           "WHERE id = $1 AND status = 'pending_approval' AND content_hash = $4"};
/// The intent of what was approved: $1 id, $2 the content that was approved, $3 issuer, $4 serial, $5 TBS digest, $6 not before,
/// $7 not after, $8 updated_ms, $9 whose work it is
inline constexpr Statement enrollment_approved_intent{
    "enrollment_approved_intent",
    "UPDATE enrollment SET status = 'submitted', pending_reason = '', issuer_key_id = $3, serial = $4, tbs_sha256 = $5, not_before_ms = $6, "
    "not_after_ms = $7, updated_ms = $8, life = $9 WHERE id = $1 AND status = 'approved' AND content_hash = $2"};
/// What was approved is not what it resolves to now, or an intent has no approval: $1 id, $2 its status, $3 its serial, $4 the new
/// content, $5 profile version, $6 names, $7 backend, $8 why it waits, $9 updated_ms, $10 an empty serial
inline constexpr Statement enrollment_asked_again{
    "enrollment_asked_again",
    "UPDATE enrollment SET status = 'pending_approval', content_hash = $4, profile_version = $5, names = $6, backend = $7, pending_reason = $8, "
    "issuer_key_id = '', serial = $10, tbs_sha256 = $10, updated_ms = $9 WHERE id = $1 AND status = $2 AND serial = $3"};
/// The CA was away before it was handed anything: approved still. $1 id, $2 its serial, $3 updated_ms, $4 an empty serial
inline constexpr Statement enrollment_approved_still{
    "enrollment_approved_still", "UPDATE enrollment SET status = 'approved', issuer_key_id = '', serial = $4, tbs_sha256 = $4, updated_ms = $3 "
                                 "WHERE id = $1 AND status = 'submitted' AND serial = $2"};
/// Nobody decided in time, or policy refuses now what was approved: $1 id, $2 its status, $3 the one it gets, $4 updated_ms, $5 problem JSON
inline constexpr Statement enrollment_approval_ended{
    "enrollment_approval_ended", "UPDATE enrollment SET status = $3, attempt_bound = FALSE, pending_reason = '', problem = $5, updated_ms = $4 "
                                 "WHERE id = $1 AND status = $2"};
/// The time is over in which an officer might think otherwise: $1 id
inline constexpr Statement enrollment_declined_unbind{
    "enrollment_declined_unbind", "UPDATE enrollment SET attempt_bound = FALSE WHERE id = $1 AND status = 'declined'"};
/// When an installation is restored: $1 updated_ms, $2 problem JSON
inline constexpr Statement enrollment_approval_void_all{
    "enrollment_approval_void_all",
    "UPDATE enrollment SET status = 'invalid', attempt_bound = FALSE, pending_reason = '', problem = $2, updated_ms = $1 "
    "WHERE id IN (SELECT enrollment_id FROM approval WHERE due_ms IS NOT NULL) AND status IN ('pending_approval', 'approved', 'declined')"};

}  // namespace postern::store
