#pragma once
#include <optional>
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `authority`: a CA of the built-in backend. Its private key is a file or a row of `sealed_key`.
struct AuthorityRow {
    AuthorityRow() = default;
    std::string key_id;     ///< lower-case hex of the subject key identifier
    std::string kind;       ///< root, issuing
    std::string issuer_id;  ///< a root's is its own
    core::Bytes certificate;
    std::int64_t crl_number = 0;  ///< the last one used; 0: none yet
    core::TimePoint created{};

    static AuthorityRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

/// What one root says of another's key (RFC 4210 §4.4).
struct CrossCertificateRow {
    CrossCertificateRow() = default;
    std::string subject_id, issuer_id;  ///< both of `authority`
    core::Bytes serial;
    core::Bytes certificate;
    core::TimePoint created{};

    static CrossCertificateRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

/// The newest CRL of one authority and shard, and the last number it used.
struct CrlRow {
    CrlRow() = default;
    std::int64_t last_number = 0;
    std::int64_t number = 0;  ///< 0: no CRL is stored, and the fields below are empty
    core::TimePoint this_update{}, next_update{};
    core::Bytes der;

    static CrlRow from(const Row& row);
};

/// A serial that a CRL lists.
struct RevocationRow {
    RevocationRow() = default;
    core::Bytes serial;
    core::TimePoint revoked{};
    std::int64_t reason = 0;

    static RevocationRow from(const Row& row);
};

#define POSTERN_AUTHORITY_COLUMNS "key_id, kind, issuer_id, certificate, crl_number, created_ms"

inline constexpr Statement authority_insert{
    "authority_insert", "INSERT INTO authority (" POSTERN_AUTHORITY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)"};
inline constexpr Statement authority_all{
    "authority_all", "SELECT " POSTERN_AUTHORITY_COLUMNS " FROM authority ORDER BY created_ms, key_id"};
/// $1 key_id, $2 the number this node believes is the last, $3 the next: one row, or another node
/// published meanwhile. Numbers therefore rise whatever becomes of the stored CRL.
inline constexpr Statement authority_use_crl_number{
    "authority_use_crl_number",
    "UPDATE authority SET crl_number = $3 WHERE key_id = $1 AND crl_number = $2 AND crl_number < $3"};

/// $1 key_id, $2 takes_over_ms, $3 created_ms
inline constexpr Statement succession_insert{
    "succession_insert", "INSERT INTO succession (key_id, takes_over_ms, created_ms) VALUES ($1, $2, $3)"};
/// The day of one that was withdrawn, which never comes: 9999-12-31T23:59:59Z (RFC 5280 §4.1.2.5).
inline constexpr core::TimePoint never_takes_over{std::chrono::seconds(253'402'300'799)};
/// $1 now, $2 never_takes_over: none waits for its day. A batch that makes one is guarded by it.
inline constexpr Statement succession_none_waits{
    "succession_none_waits", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM succession WHERE takes_over_ms > $1 AND takes_over_ms < $2)"};
/// $1 key_id, $2 a time, $3 never_takes_over: a row while it waits for a day after $2
inline constexpr Statement succession_withdraw{
    "succession_withdraw", "UPDATE succession SET takes_over_ms = $3 WHERE key_id = $1 AND takes_over_ms > $2 AND takes_over_ms < $3"};
inline constexpr Statement succession_all{"succession_all", "SELECT key_id, takes_over_ms FROM succession ORDER BY takes_over_ms, key_id"};

#define POSTERN_CROSS_CERTIFICATE_COLUMNS "subject_id, issuer_id, serial, certificate, created_ms"

inline constexpr Statement cross_certificate_insert{
    "cross_certificate_insert", "INSERT INTO cross_certificate (" POSTERN_CROSS_CERTIFICATE_COLUMNS ") VALUES ($1, $2, $3, $4, $5)"};
inline constexpr Statement cross_certificate_all{
    "cross_certificate_all", "SELECT " POSTERN_CROSS_CERTIFICATE_COLUMNS " FROM cross_certificate ORDER BY created_ms, subject_id, issuer_id"};

/// key_id and the last number used, of each authority: whether another node published.
inline constexpr Statement authority_crl_numbers{
    "authority_crl_numbers", "SELECT key_id, crl_number FROM authority ORDER BY key_id"};

/// $1 key_id, $2 shard: one row for an authority that exists.
inline constexpr Statement crl_newest{
    "crl_newest",
    "SELECT a.crl_number, c.number, c.this_update_ms, c.next_update_ms, c.der "
    "FROM authority a LEFT JOIN crl c ON c.key_id = a.key_id AND c.shard = $2 WHERE a.key_id = $1"};
/// $1 key_id, $2 shard, $3 number, $4 this_update, $5 next_update, $6 der; never replaces a newer one.
inline constexpr Statement crl_put{
    "crl_put",
    "INSERT INTO crl (key_id, shard, number, this_update_ms, next_update_ms, der) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (key_id, shard) DO UPDATE SET number = excluded.number, this_update_ms = excluded.this_update_ms, "
    "next_update_ms = excluded.next_update_ms, der = excluded.der WHERE crl.number < excluded.number"};

/// $1 issuer, $2 serial, $3 shard, $4 revoked_ms, $5 reason, $6 not_after_ms. The first entry stays: a serial once listed
/// is never unlisted or redated; only its reason becomes keyCompromise (1) when that is what came to light.
inline constexpr Statement revocation_insert{
    "revocation_insert",
    "INSERT INTO revocation (issuer_key_id, serial, shard, revoked_ms, reason, not_after_ms) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer_key_id, serial) DO UPDATE SET reason = excluded.reason "
    "WHERE excluded.reason = 1 AND revocation.reason <> 1"};
/// $1 issuer, $2 shard, $3 earliest not_after_ms: how many a CRL lists
inline constexpr Statement revocation_count{
    "revocation_count", "SELECT count(*) FROM revocation WHERE issuer_key_id = $1 AND shard = $2 AND not_after_ms >= $3"};
/// $1 issuer, $2 shard, $3 after serial, $4 earliest not_after_ms, $5 limit
inline constexpr Statement revocation_page{
    "revocation_page",
    "SELECT serial, revoked_ms, reason FROM revocation "
    "WHERE issuer_key_id = $1 AND shard = $2 AND serial > $3 AND not_after_ms >= $4 ORDER BY serial LIMIT $5"};

}  // namespace postern::store
