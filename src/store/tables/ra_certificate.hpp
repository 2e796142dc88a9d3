#pragma once
#include <string>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// A certificate of the RA, which SCEP clients encrypt to and which signs what they get.
struct RaCertificateRow {
    RaCertificateRow() = default;
    std::int64_t id = 0;
    std::string backend;
    std::string key_id;  ///< of its private key in the key store
    core::Bytes certificate;
    std::string issuer_key_id;
    core::TimePoint not_after{};
    core::TimePoint created{};

    static RaCertificateRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_RA_CERTIFICATE_COLUMNS "id, backend, key_id, certificate, issuer_key_id, not_after_ms, created_ms"
inline constexpr Statement ra_certificate_insert{
    "ra_certificate_insert", "INSERT INTO ra_certificate (" POSTERN_RA_CERTIFICATE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"};
/// The newest first: $1 backend, $2 valid at. Those of overlapping terms, so few.
inline constexpr Statement ra_certificate_of{
    "ra_certificate_of", "SELECT " POSTERN_RA_CERTIFICATE_COLUMNS
                         " FROM ra_certificate WHERE backend = $1 AND not_after_ms >= $2 ORDER BY id DESC LIMIT 8"};

}  // namespace postern::store
