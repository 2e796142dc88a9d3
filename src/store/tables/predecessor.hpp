#pragma once
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
    bool crl_file = false;           ///< there is one that was handed over as a file
    core::TimePoint created{}, updated{};
    std::string updated_by;

    static PredecessorRow from(const Row& row);
    [[nodiscard]] Values insert_values() const;  ///< without that file
};

/// CRLs may be large: whether there is one, not the list.
#define POSTERN_PREDECESSOR_COLUMNS \
    "id, tenant_id, name, crl_url, ocsp_url, CAST(CASE WHEN crl IS NULL THEN 0 ELSE 1 END AS BIGINT), created_ms, updated_ms, updated_by"

inline constexpr Statement predecessor_insert{
    "predecessor_insert", "INSERT INTO predecessor (id, tenant_id, name, crl_url, ocsp_url, created_ms, updated_ms, updated_by) "
                          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
/// $1 id, $2 CRL URL, $3 OCSP URL, $4 now, $5 who
inline constexpr Statement predecessor_update{
    "predecessor_update", "UPDATE predecessor SET crl_url = $2, ocsp_url = $3, updated_ms = $4, updated_by = $5 WHERE id = $1"};
/// $1 id, $2 DER or NULL
inline constexpr Statement predecessor_crl_set{"predecessor_crl_set", "UPDATE predecessor SET crl = $2 WHERE id = $1"};
/// DER; $1 id
inline constexpr Statement predecessor_crl{"predecessor_crl", "SELECT crl FROM predecessor WHERE id = $1 AND crl IS NOT NULL"};
inline constexpr Statement predecessor_by_id{"predecessor_by_id", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor WHERE id = $1"};
/// $1 tenant, $2 name
inline constexpr Statement predecessor_by_name{
    "predecessor_by_name", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor WHERE tenant_id = $1 AND name = $2"};
/// $1 after id, $2 tenant or NULL for all
inline constexpr Statement predecessor_page{
    "predecessor_page", "SELECT " POSTERN_PREDECESSOR_COLUMNS " FROM predecessor "
                        "WHERE id > $1 AND (CAST($2 AS BIGINT) IS NULL OR tenant_id = $2) ORDER BY id LIMIT 500"};
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
