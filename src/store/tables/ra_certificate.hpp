#pragma once
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// A certificate of the RA, which SCEP clients encrypt to and which signs what they get.
struct RaCertificateRow {
    RaCertificateRow() = default;
    std::int64_t id = 0;
    std::string source;  ///< "builtin", "profile 12", "imported 7": where it comes from
    std::string key_id;  ///< of its private key in the key store
    core::Bytes certificate;
    std::string issuer_key_id;
    core::TimePoint not_after{};
    core::TimePoint created{};
    std::string chain;   ///< PEM, the issuer first; empty: the built-in CA's

    static RaCertificateRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

/// One that was asked for and is not there yet.
struct RaRequestRow {
    RaRequestRow() = default;
    std::string name;     ///< source and, where several can be asked, issuer
    std::string key_id;
    std::string attempt;  ///< the same again gets the same certificate
    core::TimePoint created{};

    static RaRequestRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

/// The column of the source kept the name of what it held when all were the built-in CA's.
#define POSTERN_RA_CERTIFICATE_COLUMNS "id, backend, key_id, certificate, issuer_key_id, not_after_ms, created_ms, chain"
inline constexpr Statement ra_certificate_insert{
    "ra_certificate_insert", "INSERT INTO ra_certificate (" POSTERN_RA_CERTIFICATE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
/// The newest first: $1 source, $2 valid at. Those of overlapping terms, so few.
inline constexpr Statement ra_certificate_of{
    "ra_certificate_of", "SELECT " POSTERN_RA_CERTIFICATE_COLUMNS
                         " FROM ra_certificate WHERE backend = $1 AND not_after_ms >= $2 ORDER BY id DESC LIMIT 8"};
/// $1 key_id: no certificate of that key is here. Guards the batch that brings one from outside.
inline constexpr Statement ra_certificate_none_of{
    "ra_certificate_none_of", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ra_certificate WHERE key_id = $1)"};

/// One row, or another node began it.
inline constexpr Statement ra_request_insert{
    "ra_request_insert", "INSERT INTO ra_request (name, key_id, attempt, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING"};
/// $1 name
inline constexpr Statement ra_request_get{"ra_request_get", "SELECT name, key_id, attempt, created_ms FROM ra_request WHERE name = $1"};
/// $1 name, $2 attempt
inline constexpr Statement ra_request_remove{"ra_request_remove", "DELETE FROM ra_request WHERE name = $1 AND attempt = $2"};

}  // namespace postern::store
