#include "store/tables/ra_certificate.hpp"

namespace postern::store {

RaCertificateRow RaCertificateRow::from(const Row& row) {
    RaCertificateRow r;
    r.id = row.integer(0);
    r.backend = row.text(1);
    r.key_id = row.text(2);
    r.certificate = row.blob(3);
    r.issuer_key_id = row.text(4);
    r.not_after = row.time(5);
    r.created = row.time(6);
    return r;
}

Values RaCertificateRow::insert_values() const { return values(id, backend, key_id, certificate, issuer_key_id, not_after, created); }

}  // namespace postern::store
