#include <algorithm>

#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"
#include "ra/profile_pauses.hpp"

/// What is left behind by a request that got no intent: the record of the refusal, and the pause of a profile that caused it.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Task;

Task<void> Enrollment::pause_profile(Attempt& a, Problem problem) {
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("profile.paused", AuditRecord::Outcome::failed);
    record.object_kind = "profile";
    record.object_id = a.tenant->name + "/" + a.profile->name;
    record.check = problem.check;
    json::Writer detail;
    detail.begin_object().member("version", a.profile->version).key("problem").raw(problem_json(problem)).end_object();
    record.detail = detail.take();
    store::Batch batch;
    add_pause(batch, *a.profile, problem, a.request.id, a.now);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return;  // another request of the same moment paused it
    paused_.add();
    deps_.log.error("profile_paused", {{"alarm", "certificate_template"}, {"profile", record.object_id}, {"check", problem.check},
                                       {"why", problem.detail}, {"request", a.request.id.get()}});
    co_await deps_.catalog.refresh();
}

/// What presents it with another key is no retry: somebody got hold of it, or shares it.
Task<Problem> Enrollment::refuse_used_credential(Attempt& a) {
    auto by_digest = store::values(a.counted_at(), a.request.single_use->digest);
    const auto found = co_await store::read_one(deps_.db, store::credential_use_find, std::move(by_digest));
    if (!found) co_return Problem(ProblemKind::conflict, "another request gave the challenge back meanwhile; ask again");
    const auto use = store::CredentialUseRow::from(*found);
    const auto own = a.request.csr->key().spki_sha256();
    const bool same_key = std::ranges::equal(use.spki_sha256, own);
    const std::string why = same_key ? "the challenge was used before, by the same key; another attempt needs another one" : "the challenge was used before, by another key";
    a.trace.add(TraceEntry(std::string(single_use_check), use.state + " by enrollment " + std::to_string(use.enrollment.get()), Verdict::refuse, why));
    if (!same_key) {
        challenge_reused_.add();
        deps_.log.warning("challenge_reused", {{"alarm", "challenge_reused"}, {"request", a.request.id.get()}, {"endpoint", a.endpoint->name}, {"account", a.account->name},
                                               {"requester", a.request.requester}, {"used_by", use.enrollment.get()}, {"state", use.state}});
    }
    co_return Problem(ProblemKind::forbidden, why, std::string(single_use_check));
}

namespace {

/// Nobody in particular: an open account asks for nothing, and what counts once is over, or was used, be it by somebody else.
Task<bool> is_anybodys(store::Database& db, const Catalog& catalog, const EnrollmentRequest& request) {
    if (request.source.empty()) co_return false;
    if (request.evidence.empty()) co_return true;
    if (!request.single_use) co_return false;
    if (request.binding && request.binding->ended) co_return true;
    const auto scope = counted_at(catalog, request.endpoint, vouched_by_intune(request.evidence));
    auto by_digest = store::values(scope, request.single_use->digest);
    const auto used = co_await store::read_one(db, store::credential_use_find, std::move(by_digest));
    co_return used.has_value();
}

}  // namespace

void Enrollment::log_refusal(const Attempt& a, const Problem& problem, bool recorded) {
    refused_.add();
    deps_.log.info("enrollment_refused", {{"request", a.request.id.get()}, {"check", problem.check}, {"why", problem.detail}, {"recorded", recorded}});
}

Task<void> Enrollment::audit_refusal(Attempt& a, Problem problem) {
    RefusalBudget::LeftOut left_out;
    const bool anybodys = co_await is_anybodys(deps_.db, *a.catalog, a.request);
    if (anybodys) {
        const auto admitted = deps_.refusals.admit(Refusals::Shown::credential, a.request.source);
        if (!admitted) {
            log_refusal(a, problem, false);
            co_return;
        }
        left_out = *admitted;
    }
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    auto record = a.audit("enrollment.refused", AuditRecord::Outcome::refused);
    record.check = problem.check;
    if (!a.request.origin_id.empty()) {
        record.object_kind = a.request.origin_kind;
        record.object_id = a.request.origin_id;
    }
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(problem)).key("trace").raw(a.trace.to_json());
    add_left_out(detail, left_out);
    detail.end_object();
    record.detail = detail.take();
    store::Batch batch;
    if (a.request.refused) a.request.refused(batch, a.id, problem);
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    log_refusal(a, problem, written.has_value());
}

}  // namespace postern::ra
