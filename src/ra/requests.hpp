#pragma once
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/result.hpp"
#include "ra/principals.hpp"
#include "store/database.hpp"
#include "store/tables/approval.hpp"
#include "store/tables/enrollment.hpp"
#include "store/tables/submission.hpp"

/// Requests that are with a foreign CA or wait for an officer, for those who look after them.
namespace postern::ra {

/// One open request, as a list shows it.
struct RequestListed {
    RequestListed() = default;
    core::EnrollmentId id;
    std::string request, tenant, status, names, backend;
    std::string state;                   ///< of a submission: sent, pending, lost, held; "approval" for one that an officer decides
    std::int64_t asked = 0;              ///< how often the foreign CA was
    core::TimePoint since{}, due{};      ///< handed over or asked for; when something happens without anybody's doing
    std::optional<std::string> problem;  ///< JSON
    std::string profile, account;        ///< of those that an officer decides
};
struct RequestFilter {
    RequestFilter() = default;
    bool held = false;                  ///< only those that wait for an officer
    std::optional<std::string> status;  ///< only those that an officer decides, of that status: pending_approval, approved, declined
};
/// Open requests that the principal may see with id > after, rising; one that was declined only by its status.
core::Task<std::vector<RequestListed>> list_requests(store::Database& db, Principal by, std::int64_t after, std::int64_t limit, RequestFilter filter);

struct RequestShown {
    RequestShown() = default;
    store::EnrollmentRow enrollment;
    std::optional<store::SubmissionRow> submission;  ///< while it is open
    std::optional<store::ApprovalRow> approval;      ///< where an officer was asked
};
/// By the number of its enrollment, open or ended, or by the request id of an open one. not_found for another tenant's.
core::Task<core::Result<RequestShown>> find_request(store::Database& db, const Principal& by, std::string reference);

}  // namespace postern::ra
