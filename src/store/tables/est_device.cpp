#include "store/tables/est_device.hpp"

namespace postern::store {

EstDeviceRow EstDeviceRow::from(const Row& row) {
    EstDeviceRow d;
    d.id = row.integer(0);
    d.tenant = row.id<core::TenantId>(1);
    d.endpoint = row.id<core::EndpointId>(2);
    d.account = row.id<core::AccountId>(3);
    d.serial_number = row.text(4);
    d.manufacturer = row.text(5);
    d.listed = row.boolean(6);
    d.subject = row.text(7);
    d.names = row.text(8);
    if (!row.null(9)) d.pinned_spki = row.blob(9);
    d.pinned = row.optional_time(10);
    if (!row.null(11)) d.pinned_enrollment = row.id<core::EnrollmentId>(11);
    if (!row.null(12)) d.certificate = row.id<core::CertificateId>(12);
    d.created = row.time(13);
    d.created_by = row.text(14);
    return d;
}

Values EstDeviceRow::insert_values() const {
    std::optional<core::Bytes> pin;
    if (!pinned_spki.empty()) pin = pinned_spki;
    return values(id, tenant, endpoint, account, serial_number, manufacturer, listed, subject, names, pin, pinned, pinned_enrollment, certificate, created, created_by);
}

}  // namespace postern::store
