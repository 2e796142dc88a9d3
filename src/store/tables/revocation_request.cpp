#include "store/tables/revocation_request.hpp"

namespace postern::store {

RevocationRequestRow RevocationRequestRow::from(const Row& row) {
    RevocationRequestRow r;
    r.certificate = row.id<core::CertificateId>(0);
    r.reason = row.integer(1);
    r.actor_kind = row.text(2);
    r.actor = row.text(3);
    r.request = core::RequestId(row.text(4));
    r.fence = row.integer(5);
    r.asked = row.integer(6);
    r.last_error = row.text(7);
    r.due = row.time(8);
    r.created = row.time(9);
    return r;
}

Values RevocationRequestRow::insert_values() const {
    return values(certificate, reason, actor_kind, actor, request, fence, asked, last_error, due, created);
}

}  // namespace postern::store
