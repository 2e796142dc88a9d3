#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/tables/acme_account.hpp"
#include "store/value.hpp"

namespace postern::store {

using AcmeOrderId = core::Strong<std::int64_t, struct AcmeOrderIdTag>;

/// One row of `acme_order` (RFC 8555 §7.1.3). It stores pending, ready and invalid; processing and
/// valid are read through the enrollment, which is where an outcome lives.
struct AcmeOrderRow {
    AcmeOrderRow() = default;
    AcmeOrderId id;
    std::string token;
    AcmeAccountId acme_account;
    std::string status;
    std::string identifiers;  ///< JSON array of {type, value}
    std::string profile;
    std::optional<core::TimePoint> not_before, not_after;
    core::TimePoint expires{};
    std::optional<std::string> error;  ///< problem document
    std::optional<core::EnrollmentId> enrollment;
    core::TimePoint created{}, updated{};
    std::optional<std::string> replaces;  ///< certificate identifier (RFC 9773 §4.1), as it was sent
    // Read with the row, never inserted.
    std::optional<std::string> enrollment_status, enrollment_problem, certificate_token, enrollment_request;

    static AcmeOrderRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_ACME_ORDER_SELECT                                                                                  \
    "SELECT o.id, o.token, o.acme_account_id, o.status, o.identifiers, o.profile, o.not_before_ms, o.not_after_ms, " \
    "o.expires_ms, o.error, o.enrollment_id, o.created_ms, o.updated_ms, o.replaces, e.status, e.problem, c.token, e.request_id " \
    "FROM acme_order o LEFT JOIN enrollment e ON e.id = o.enrollment_id "                                            \
    "LEFT JOIN certificate c ON c.enrollment_id = o.enrollment_id "

inline constexpr Statement acme_order_insert{
    "acme_order_insert",
    "INSERT INTO acme_order (id, token, acme_account_id, status, identifiers, profile, not_before_ms, not_after_ms, "
    "expires_ms, error, enrollment_id, created_ms, updated_ms, replaces) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
/// $1 order, $2 position from 0, $3 authorization
inline constexpr Statement acme_order_link{
    "acme_order_link",
    "INSERT INTO acme_order_authorization (order_id, position, authorization_id) VALUES ($1, $2, $3)"};
/// $1 token, $2 the account that asks: another's order is as absent as none
inline constexpr Statement acme_order_owned{
    "acme_order_owned", POSTERN_ACME_ORDER_SELECT "WHERE o.token = $1 AND o.acme_account_id = $2"};
/// Tokens of an order's authorizations in the order of its identifiers.
inline constexpr Statement acme_order_authorizations{
    "acme_order_authorizations",
    "SELECT a.token FROM acme_order_authorization l JOIN acme_authorization a ON a.id = l.authorization_id "
    "WHERE l.order_id = $1 ORDER BY l.position"};
/// What proved each name of an order: identifier_type, identifier, wildcard, expires_ms, challenge
/// type, validated_ms, caa_ms.
inline constexpr Statement acme_order_evidence{
    "acme_order_evidence",
    "SELECT a.identifier_type, a.identifier, a.wildcard, a.expires_ms, c.method, c.validated_ms, a.caa_ms "
    "FROM acme_order_authorization l JOIN acme_authorization a ON a.id = l.authorization_id "
    "JOIN acme_challenge c ON c.authorization_id = a.id "
    "WHERE l.order_id = $1 AND a.status = 'valid' AND c.status = 'valid' ORDER BY l.position"};
/// The orders list (RFC 8555 §7.1.2.1): $1 account, $2 after id, $3 now, $4 limit
inline constexpr Statement acme_order_page{
    "acme_order_page",
    "SELECT id, token FROM acme_order WHERE acme_account_id = $1 AND id > $2 AND status <> 'invalid' "
    "AND (enrollment_id IS NOT NULL OR expires_ms > $3) ORDER BY id LIMIT $4"};
/// $1 token, $2 account
inline constexpr Statement acme_order_cursor{
    "acme_order_cursor", "SELECT id FROM acme_order WHERE token = $1 AND acme_account_id = $2"};
/// Takes the rows of all orders of an authorization before they are judged, so that two validations
/// that end together see one another's result: $1 authorization, $2 updated_ms
inline constexpr Statement acme_order_touch{
    "acme_order_touch",
    "UPDATE acme_order SET updated_ms = $2 WHERE id IN "
    "(SELECT order_id FROM acme_order_authorization WHERE authorization_id = $1)"};
/// After acme_order_touch; the same parameters
inline constexpr Statement acme_order_ready{
    "acme_order_ready",
    "UPDATE acme_order SET status = 'ready', updated_ms = $2 WHERE status = 'pending' AND id IN "
    "(SELECT order_id FROM acme_order_authorization WHERE authorization_id = $1) AND NOT EXISTS "
    "(SELECT 1 FROM acme_order_authorization l JOIN acme_authorization a ON a.id = l.authorization_id "
    "WHERE l.order_id = acme_order.id AND a.status <> 'valid')"};
/// An authorization left pending or valid without use: $1 authorization, $2 updated_ms, $3 error
inline constexpr Statement acme_order_fail{
    "acme_order_fail",
    "UPDATE acme_order SET status = 'invalid', error = $3, updated_ms = $2 WHERE status IN ('pending', 'ready') "
    "AND enrollment_id IS NULL AND id IN "
    "(SELECT order_id FROM acme_order_authorization WHERE authorization_id = $1)"};
/// The account goes: $1 account, $2 updated_ms, $3 error
inline constexpr Statement acme_order_fail_all{
    "acme_order_fail_all",
    "UPDATE acme_order SET status = 'invalid', error = $3, updated_ms = $2 WHERE acme_account_id = $1 "
    "AND status IN ('pending', 'ready') AND enrollment_id IS NULL"};
/// $1 id, $2 enrollment, $3 updated_ms (0 rows: somebody else was first)
inline constexpr Statement acme_order_claim{
    "acme_order_claim",
    "UPDATE acme_order SET enrollment_id = $2, updated_ms = $3 WHERE id = $1 AND status = 'ready' "
    "AND enrollment_id IS NULL AND expires_ms > $3"};
/// The claim taken back, for an enrollment that surely signed nothing: $1 id, $2 enrollment, $3 updated_ms
inline constexpr Statement acme_order_release{
    "acme_order_release",
    "UPDATE acme_order SET enrollment_id = NULL, updated_ms = $3 WHERE id = $1 AND enrollment_id = $2"};
/// An officer found that nothing was issued, and lets the client ask again: $1 enrollment, $2 updated_ms
inline constexpr Statement acme_order_release_claim{
    "acme_order_release_claim", "UPDATE acme_order SET enrollment_id = NULL, updated_ms = $2 WHERE enrollment_id = $1"};
/// For `postern explain`, which knows an order by whatever somebody has of it: id, token, enrollment or
/// NULL. $1 the order's token
#define POSTERN_ACME_ORDER_TRACED "SELECT o.id, o.token, o.enrollment_id FROM acme_order o "
inline constexpr Statement acme_order_by_token{"acme_order_by_token", POSTERN_ACME_ORDER_TRACED "WHERE o.token = $1"};
/// $1 enrollment
inline constexpr Statement acme_order_by_enrollment{"acme_order_by_enrollment",
                                                    POSTERN_ACME_ORDER_TRACED "WHERE o.enrollment_id = $1"};
/// $1 token of an authorization or of one of its challenges, whose orders are one ACME account's
inline constexpr Statement acme_orders_by_authorization{
    "acme_orders_by_authorization",
    POSTERN_ACME_ORDER_TRACED "WHERE o.id IN (SELECT l.order_id FROM acme_order_authorization l "
                              "JOIN acme_authorization a ON a.id = l.authorization_id WHERE a.token = $1 OR a.id IN "
                              "(SELECT c.authorization_id FROM acme_challenge c WHERE c.token = $1)) ORDER BY o.id DESC LIMIT 20"};
/// $1 identifier, $2 tenant or NULL for all; the newest
inline constexpr Statement acme_orders_by_name{
    "acme_orders_by_name",
    POSTERN_ACME_ORDER_TRACED "JOIN acme_account n ON n.id = o.acme_account_id JOIN account c ON c.id = n.account_id "
                              "WHERE (CAST($2 AS BIGINT) IS NULL OR c.tenant_id = $2) AND o.id IN "
                              "(SELECT l.order_id FROM acme_order_authorization l JOIN acme_authorization a "
                              "ON a.id = l.authorization_id WHERE a.identifier = $1) ORDER BY o.id DESC LIMIT 20"};
/// $1 ACME account; the newest
inline constexpr Statement acme_orders_by_account{
    "acme_orders_by_account", POSTERN_ACME_ORDER_TRACED "WHERE o.acme_account_id = $1 ORDER BY o.id DESC LIMIT 20"};
/// Whether that account ordered what the enrollment issued: $1 enrollment, $2 account
inline constexpr Statement acme_order_of_enrollment{
    "acme_order_of_enrollment",
    "SELECT id FROM acme_order WHERE enrollment_id = $1 AND acme_account_id = $2"};
/// What that account ordered with a certificate, to compare with what replaces it: $1 enrollment, $2 account
inline constexpr Statement acme_order_identifiers{
    "acme_order_identifiers", "SELECT identifiers FROM acme_order WHERE enrollment_id = $1 AND acme_account_id = $2"};
/// The order that replaces a certificate, alive or not: $1 certificate
inline constexpr Statement acme_replacement_of{
    "acme_replacement_of", POSTERN_ACME_ORDER_SELECT "JOIN acme_replacement r ON r.order_id = o.id WHERE r.certificate_id = $1"};
/// $1 certificate, $2 order. A duplicate: another order replaces it.
inline constexpr Statement acme_replacement_insert{
    "acme_replacement_insert", "INSERT INTO acme_replacement (certificate_id, order_id) VALUES ($1, $2)"};
/// In the place of an order that was seen to be invalid: $1 certificate, $2 that order, $3 the new one
inline constexpr Statement acme_replacement_take{
    "acme_replacement_take", "UPDATE acme_replacement SET order_id = $3 WHERE certificate_id = $1 AND order_id = $2"};
/// The first name of what was ordered that no challenge proved, or that another account has no valid authorization for by
/// a challenge and for the same profile: $1 enrollment, $2 that account, $3 now
inline constexpr Statement acme_order_unproven{
    "acme_order_unproven",
    "SELECT l.position FROM acme_order o JOIN acme_order_authorization l ON l.order_id = o.id "
    "JOIN acme_authorization a ON a.id = l.authorization_id WHERE o.enrollment_id = $1 AND (NOT EXISTS "
    "(SELECT 1 FROM acme_challenge c WHERE c.authorization_id = a.id AND c.status = 'valid') OR NOT EXISTS "
    "(SELECT 1 FROM acme_authorization m JOIN acme_challenge d ON d.authorization_id = m.id WHERE m.acme_account_id = $2 "
    "AND m.identifier = a.identifier AND m.identifier_type = a.identifier_type AND m.wildcard = a.wildcard AND m.profile = o.profile AND m.status = 'valid' "
    "AND m.expires_ms > $3 AND d.status = 'valid')) ORDER BY l.position LIMIT 1"};

}  // namespace postern::store
