#include "store/tables/certificate.hpp"

namespace postern::store {

CertificateRow CertificateRow::from(const Row& row) {
    CertificateRow c;
    c.id = row.id<core::CertificateId>(0);
    c.token = row.text(1);
    c.enrollment = row.id<core::EnrollmentId>(2);
    c.tenant = row.id<core::TenantId>(3);
    c.endpoint = row.id<core::EndpointId>(4);
    c.account = row.id<core::AccountId>(5);
    c.backend = row.text(6);
    c.issuer_key_id = row.text(7);
    c.serial = row.blob(8);
    c.sha256 = row.blob(9);
    c.spki_sha256 = row.blob(10);
    c.subject = row.text(11);
    c.names = row.text(12);
    c.status = row.text(13);
    c.not_before = row.time(14);
    c.not_after = row.time(15);
    c.revoked = row.optional_time(16);
    c.revoked_reason = row.optional_integer(17);
    c.der = row.blob(18);
    c.created = row.time(19);
    return c;
}

Values CertificateRow::insert_values() const {
    return values(id, token, enrollment, tenant, endpoint, account, backend, issuer_key_id, serial, sha256, spki_sha256,
                  subject, names, status, not_before, not_after, revoked, revoked_reason, der, created);
}

}  // namespace postern::store
