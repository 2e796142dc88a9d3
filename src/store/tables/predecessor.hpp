#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// A CA that a tenant moved away from. Its id is drawn from Series::backend: it was one.
using PredecessorId = core::Strong<std::int64_t, struct PredecessorIdTag>;

/// One row of `predecessor`, in the column order of its statements.
struct PredecessorRow {
    PredecessorRow() = default;
    PredecessorId id;
    core::TenantId tenant;
    std::string name;
    std::string crl_url, ocsp_url;   ///< empty: none
    std::optional<core::Bytes> crl;  ///< handed over as a file, DER
    core::TimePoint created{}, updated{};
    std::string updated_by;

    static PredecessorRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_PREDECESSOR_COLUMNS "id, tenant_id, name, crl_url, ocsp_url, crl, created_ms, updated_ms, updated_by"

inline constexpr Statement predecessor_insert{
    "predecessor_insert", "INSERT INTO predecessor (" POSTERN_PREDECESSOR_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
/// $1 id, $2 CRL URL, $3 OCSP URL, $4 CRL, $5 now, $6 who
inline constexpr Statement predecessor_update{
    "predecessor_update", "UPDATE predecessor SET crl_url = $2, ocsp_url = $3, crl = $4, updated_ms = $5, updated_by = $6 WHERE id = $1"};
inline constexpr Statement predecessor_by_id{"predecessor_by_id", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor WHERE id = $1"};
/// $1 tenant, $2 name
inline constexpr Statement predecessor_by_name{
    "predecessor_by_name", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor WHERE tenant_id = $1 AND name = $2"};
/// $1 after id, $2 tenant or NULL for all
inline constexpr Statement predecessor_page{
    "predecessor_page", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor "
                        "WHERE id > $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id LIMIT 20"};
/// $1 id; its certificates leave with it
inline constexpr Statement predecessor_remove{"predecessor_remove", "DELETE FROM predecessor WHERE id = $1"};

/// $1 predecessor, $2 SHA-256, $3 DER
inline constexpr Statement predecessor_certificate_insert{
    "predecessor_certificate_insert", "INSERT INTO predecessor_certificate (predecessor_id, sha256, der) VALUES ($1, $2, $3) "
                                      "ON CONFLICT (predecessor_id, sha256) DO NOTHING"};
/// DER of each; $1 predecessor
inline constexpr Statement predecessor_certificates{
    "predecessor_certificates", "SELECT der FROM predecessor_certificate WHERE predecessor_id = $1 ORDER BY sha256 LIMIT 100"};
inline constexpr Statement predecessor_certificates_remove{
    "predecessor_certificates_remove", "DELETE FROM predecessor_certificate WHERE predecessor_id = $1"};

}  // namespace postern::store
