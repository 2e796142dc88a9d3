#include "store/tables/submission.hpp"

namespace postern::store {

SubmissionRow SubmissionRow::from(const Row& row) {
    SubmissionRow s;
    s.enrollment = row.id<core::EnrollmentId>(0);
    s.tenant = row.id<core::TenantId>(1);
    s.backend = row.text(2);
    s.state = row.text(3);
    s.node = row.text(4);
    s.handle = row.optional_text(5);
    s.content = row.text(6);
    s.received = row.optional_text(7);
    s.fence = row.integer(8);
    s.asked = row.integer(9);
    s.sent = row.time(10);
    s.due = row.time(11);
    return s;
}

Values SubmissionRow::insert_values() const {
    return values(enrollment, tenant, backend, state, node, handle, content, received, fence, asked, sent, due);
}

}  // namespace postern::store
