#include "store/tables/approval.hpp"

namespace postern::store {

ApprovalRow ApprovalRow::from(const Row& row) {
    ApprovalRow a;
    a.enrollment = row.id<core::EnrollmentId>(0);
    a.tenant = row.id<core::TenantId>(1);
    a.asked_by = row.text(2);
    a.content = row.text(3);
    a.trace = row.text(4);
    a.wished_from = row.optional_time(5);
    a.wished_until = row.optional_time(6);
    a.asked = row.time(7);
    a.limit = row.time(8);
    a.due = row.optional_time(9);
    a.decision = row.optional_text(10);
    a.decided_by = row.optional_text(11);
    a.decided = row.optional_time(12);
    a.message = row.optional_text(13);
    if (!row.null(14)) a.decided_hash = row.blob(14);
    a.delivered = row.optional_time(15);
    a.issuer_key_id = row.text(16);
    return a;
}

Values ApprovalRow::put_values() const {
    return values(enrollment, tenant, asked_by, content, trace, wished_from, wished_until, asked, limit, issuer_key_id);
}

}  // namespace postern::store
