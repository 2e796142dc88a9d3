#include "store/tables/ra_certificate.hpp"

namespace postern::store {

RaCertificateRow RaCertificateRow::from(const Row& row) {
    RaCertificateRow r;
    r.id = row.integer(0);
    r.source = row.text(1);
    r.key_id = row.text(2);
    r.certificate = row.blob(3);
    r.issuer_key_id = row.text(4);
    r.not_after = row.time(5);
    r.created = row.time(6);
    r.chain = row.text(7);
    return r;
}

Values RaCertificateRow::insert_values() const { return values(id, source, key_id, certificate, issuer_key_id, not_after, created, chain); }

RaRequestRow RaRequestRow::from(const Row& row) {
    RaRequestRow r;
    r.name = row.text(0);
    r.key_id = row.text(1);
    r.attempt = row.text(2);
    r.created = row.time(3);
    return r;
}

Values RaRequestRow::insert_values() const { return values(name, key_id, attempt, created); }

}  // namespace postern::store
