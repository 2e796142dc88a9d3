#include "store/tables/acme_order.hpp"

namespace postern::store {

AcmeOrderRow AcmeOrderRow::from(const Row& row) {
    AcmeOrderRow o;
    o.id = row.id<AcmeOrderId>(0);
    o.token = row.text(1);
    o.acme_account = row.id<AcmeAccountId>(2);
    o.status = row.text(3);
    o.identifiers = row.text(4);
    o.profile = row.text(5);
    o.not_before = row.optional_time(6);
    o.not_after = row.optional_time(7);
    o.expires = row.time(8);
    o.error = row.optional_text(9);
    if (!row.null(10)) o.enrollment = row.id<core::EnrollmentId>(10);
    o.created = row.time(11);
    o.updated = row.time(12);
    o.replaces = row.optional_text(13);
    o.enrollment_status = row.optional_text(14);
    o.enrollment_problem = row.optional_text(15);
    o.certificate_token = row.optional_text(16);
    o.enrollment_request = row.optional_text(17);
    return o;
}

Values AcmeOrderRow::insert_values() const {
    return values(id, token, acme_account, status, identifiers, profile, not_before, not_after, expires, error,
                  enrollment, created, updated, replaces);
}

}  // namespace postern::store
