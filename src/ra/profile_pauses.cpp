#include "ra/profile_pauses.hpp"

#include "core/json/writer.hpp"
#include "ra/audit.hpp"
#include "store/tables/objects.hpp"
#include "store/tables/profile_pause.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;

bool pauses_profile(const Problem& problem) noexcept {
    return problem.kind == ProblemKind::internal && problem.check.starts_with("lint.");
}

void add_pause(store::Batch& batch, const Profile& profile, const Problem& problem, const core::RequestId& request,
               core::TimePoint now) {
    store::ProfilePauseRow row;
    row.profile = profile.id;
    row.version = profile.version;
    row.check = problem.check;
    row.detail = problem.detail;
    row.request = request;
    row.since = now;
    batch.add(store::profile_pause_put, row.insert_values());
    batch.add(store::configuration_raise, {});
}

core::Task<core::Result<void>> ProfilePauses::resume(std::string profile, Principal by, core::RequestId request) {
    const auto catalog = deps_.catalog.current();
    const auto slash = profile.find('/');
    const auto* tenant = slash == std::string::npos ? nullptr : catalog->tenant(std::string_view(profile).substr(0, slash));
    const auto* found = tenant && (!by.tenant || *by.tenant == tenant->id)
                            ? catalog->profile(tenant->id, std::string_view(profile).substr(slash + 1))
                            : nullptr;
    if (!found) co_return Problem(ProblemKind::not_found, "there is no profile " + profile + "; name it as TENANT/NAME");
    Problem not_paused(ProblemKind::conflict, "profile " + profile + " is not paused");
    if (!found->paused) co_return not_paused;

    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    AuditRecord record;
    record.at = deps_.clock.now();
    record.tenant = found->tenant;
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = "profile.resumed";
    record.object_kind = "profile";
    record.object_id = profile;
    json::Writer detail;
    detail.begin_object().member("check", found->paused->check).member("paused_by_request", found->paused->request.get()).end_object();
    record.detail = detail.take();
    store::Batch batch;
    batch.add(store::profile_pause_remove, store::values(found->id, found->version));
    batch.add(store::configuration_raise, {});
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return not_paused;
    co_await deps_.catalog.refresh();
    co_return core::Result<void>();
}

}  // namespace postern::ra
