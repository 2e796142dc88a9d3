#pragma once
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "store/statement.hpp"
#include "store/tables/objects.hpp"
#include "store/value.hpp"

namespace postern::store {

/// One row of `est_device`: a device that an EST account lists, or that came and is remembered by its first key.
struct EstDeviceRow {
    EstDeviceRow() = default;
    std::int64_t id = 0;       ///< of Series::device
    core::TenantId tenant;
    core::EndpointId endpoint;
    core::AccountId account;
    std::string serial_number;
    std::string manufacturer;  ///< name or SHA-256, in hex, of the trust anchor; empty: any of the account's
    bool listed = true;        ///< false: it came by itself
    std::string subject;       ///< JSON array of "CN=value"; empty: the list does not say
    std::string names;         ///< JSON array of "dns:name"; empty: the list does not say
    core::Bytes pinned_spki;   ///< SHA-256 of the key that came first; empty: none yet
    std::optional<core::TimePoint> pinned;
    std::optional<core::EnrollmentId> pinned_enrollment;
    std::optional<core::CertificateId> certificate;  ///< the newest that was issued to it
    core::TimePoint created{};
    std::string created_by;

    static EstDeviceRow from(const Row& row);
    /// For est_device_list and est_device_seen.
    [[nodiscard]] Values insert_values() const;
};

#define POSTERN_EST_DEVICE_COLUMNS                                                                                           \
    "id, tenant_id, endpoint_id, account_id, serial_number, manufacturer, listed, subject, names, pinned_spki, pinned_ms, " \
    "pinned_enrollment_id, certificate_id, created_ms, created_by"
#define POSTERN_EST_DEVICE_INSERT \
    "INSERT INTO est_device (" POSTERN_EST_DEVICE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"

/// One that is listed stays as it is; one that came by itself keeps its first key.
inline constexpr Statement est_device_list{
    "est_device_list", POSTERN_EST_DEVICE_INSERT " ON CONFLICT (account_id, serial_number, manufacturer) DO UPDATE SET listed = excluded.listed, "
                                                 "subject = excluded.subject, names = excluded.names WHERE NOT est_device.listed"};
/// A duplicate: the same device came a moment ago, with this key or another.
inline constexpr Statement est_device_seen{"est_device_seen", POSTERN_EST_DEVICE_INSERT};
/// serial_number and manufacturer of those that are listed: $1 account, $2…$21 serial numbers or NULL
inline constexpr Statement est_device_known{
    "est_device_known", "SELECT serial_number, manufacturer FROM est_device WHERE account_id = $1 AND listed AND serial_number IN "
                        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"};
inline constexpr std::size_t est_device_known_size = 20;
/// Those of a maker before those of any: $1 account, $2 serial number, $3 and $4 name and SHA-256 of the trust anchor
inline constexpr Statement est_device_find{
    "est_device_find", "SELECT " POSTERN_EST_DEVICE_COLUMNS " FROM est_device WHERE account_id = $1 AND serial_number = $2 "
                       "AND manufacturer IN ('', $3, $4) ORDER BY manufacturer DESC LIMIT 3"};
/// Exactly that one: $1 account, $2 serial number, $3 manufacturer
inline constexpr Statement est_device_named{
    "est_device_named", "SELECT " POSTERN_EST_DEVICE_COLUMNS " FROM est_device WHERE account_id = $1 AND serial_number = $2 AND manufacturer = $3"};
/// In the batch of an intent: the first key wins. $1 id, $2 SPKI SHA-256, $3 now, $4 enrollment
inline constexpr Statement est_device_pin{
    "est_device_pin", "UPDATE est_device SET pinned_spki = $2, pinned_ms = $3, pinned_enrollment_id = $4 WHERE id = $1 AND pinned_spki IS NULL"};
/// Surely nothing was signed for that intent: $1 id, $2 enrollment
inline constexpr Statement est_device_unpin{
    "est_device_unpin", "UPDATE est_device SET pinned_spki = NULL, pinned_ms = NULL, pinned_enrollment_id = NULL WHERE id = $1 AND pinned_enrollment_id = $2"};
/// An officer lets another key come: $1 id
inline constexpr Statement est_device_release{
    "est_device_release", "UPDATE est_device SET pinned_spki = NULL, pinned_ms = NULL, pinned_enrollment_id = NULL WHERE id = $1 AND pinned_spki IS NOT NULL"};
inline constexpr Statement est_device_remove{"est_device_remove", "DELETE FROM est_device WHERE id = $1"};
/// $1 id: a row while it is not removed
inline constexpr Statement est_device_stands{"est_device_stands", "SELECT id FROM est_device WHERE id = $1"};
inline constexpr Statement est_device_guard{"est_device_guard", "SELECT 1 FROM est_device WHERE id = $1", "SELECT 1 FROM est_device WHERE id = $1 FOR SHARE"};
/// $1 id, $2 the certificate that was issued to it
inline constexpr Statement est_device_enrolled{"est_device_enrolled", "UPDATE est_device SET certificate_id = $2 WHERE id = $1"};
/// Rising: $1 account, $2 after id, $3 limit
inline constexpr Statement est_device_page{
    "est_device_page", "SELECT " POSTERN_EST_DEVICE_COLUMNS " FROM est_device WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"};
/// Of all makers: $1 account, $2 serial number
inline constexpr Statement est_device_by_serial{
    "est_device_by_serial", "SELECT " POSTERN_EST_DEVICE_COLUMNS " FROM est_device WHERE account_id = $1 AND serial_number = $2 ORDER BY id LIMIT 20"};
/// Accounts of an endpoint that may have devices: $1 endpoint, $2 name or NULL
inline constexpr Statement account_with_devices{
    "account_with_devices", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND method IN ('certificate', 'basic') "
                            "AND (CAST($2 AS TEXT) IS NULL OR name = $2) ORDER BY id LIMIT 50"};
/// Accounts whose trust anchors a certificate is tried with: $1 endpoint
inline constexpr Statement account_anchored{
    "account_anchored", "SELECT " POSTERN_ACCOUNT_COLUMNS " FROM account WHERE endpoint_id = $1 AND method = 'certificate' AND status = 'active' ORDER BY id LIMIT 16"};

}  // namespace postern::store
