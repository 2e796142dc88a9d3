#include "store/tables/authority.hpp"

namespace postern::store {

AuthorityRow AuthorityRow::from(const Row& row) {
    AuthorityRow out;
    out.key_id = row.text(0);
    out.kind = row.text(1);
    out.issuer_id = row.text(2);
    out.certificate = row.blob(3);
    out.crl_number = row.integer(4);
    out.created = row.time(5);
    return out;
}

Values AuthorityRow::insert_values() const {
    return values(key_id, kind, issuer_id, certificate, crl_number, created);
}

CrossCertificateRow CrossCertificateRow::from(const Row& row) {
    CrossCertificateRow out;
    out.subject_id = row.text(0);
    out.issuer_id = row.text(1);
    out.serial = row.blob(2);
    out.certificate = row.blob(3);
    out.created = row.time(4);
    return out;
}

Values CrossCertificateRow::insert_values() const { return values(subject_id, issuer_id, serial, certificate, created); }

CrlRow CrlRow::from(const Row& row) {
    CrlRow out;
    out.last_number = row.integer(0);
    if (row.null(1)) return out;
    out.number = row.integer(1);
    out.this_update = row.time(2);
    out.next_update = row.time(3);
    out.der = row.blob(4);
    return out;
}

RevocationRow RevocationRow::from(const Row& row) {
    RevocationRow out;
    out.serial = row.blob(0);
    out.revoked = row.time(1);
    out.reason = row.integer(2);
    return out;
}

}  // namespace postern::store
