#include "store/tables/imported_certificate.hpp"

namespace postern::store {

ImportedCertificateRow ImportedCertificateRow::from(const Row& row) {
    ImportedCertificateRow c;
    c.id = row.id<ImportedCertificateId>(0);
    c.tenant = row.id<core::TenantId>(1);
    c.predecessor = row.id<PredecessorId>(2);
    c.endpoint = row.id<core::EndpointId>(3);
    c.account = row.id<core::AccountId>(4);
    c.serial = row.blob(5);
    c.sha256 = row.blob(6);
    c.subject = row.text(7);
    c.names = row.text(8);
    c.status = row.text(9);
    c.not_before = row.time(10);
    c.not_after = row.time(11);
    if (!row.null(12)) c.successor = row.id<core::CertificateId>(12);
    c.der = row.blob(13);
    c.audit = row.integer(14);
    c.created = row.time(15);
    return c;
}

Values ImportedCertificateRow::insert_values() const {
    return values(id, tenant, predecessor, endpoint, account, serial, sha256, subject, names, status, not_before, not_after, successor, der, audit, created);
}

}  // namespace postern::store
