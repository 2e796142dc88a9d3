#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/submission.hpp"

/// Requests that are with a foreign CA or wait for an officer, for those who look after them.
namespace postern::ra {

/// Rows of request_page the principal may see with id > after, rising. `held`: only those that wait for an officer.
core::Task<store::Rows> list_requests(store::Database& db, const Principal& by, std::int64_t after, std::int64_t limit, bool held);

struct RequestShown {
    RequestShown() = default;
    store::EnrollmentRow enrollment;
    std::optional<store::SubmissionRow> submission;  ///< while it is open
};
/// By the number of its enrollment, open or ended, or by the request id of an open one. not_found for another tenant's.
core::Task<core::Result<RequestShown>> find_request(store::Database& db, const Principal& by, std::string reference);

}  // namespace postern::ra
