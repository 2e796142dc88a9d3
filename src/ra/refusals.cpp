#include "ra/refusals.hpp"

#include "core/http/source.hpp"
#include "ra/enrollment_steps.hpp"

namespace postern::ra {

using core::Task;

Refusals::Refusals(Deps deps)
    : deps_(deps),
      strangers_(deps.clock, of_strangers),
      credentials_(deps.clock, of_credentials),
      sealed_(deps.clock, of_sealed),
      left_out_(deps.metrics.counter("postern_refusals_not_recorded_total", "Refusals of nobody in particular that are in the log alone, because there were too many")) {}

void add_left_out(json::Writer& detail, const RefusalBudget::LeftOut& left_out) {
    if (left_out.of_source > 0) detail.member("not_recorded_before", left_out.of_source);
    if (left_out.of_others > 0) detail.member("not_recorded_elsewhere", left_out.of_others);
}

std::optional<RefusalBudget::LeftOut> Refusals::admit(Shown shown, const std::string& source) {
    auto& budget = shown == Shown::nothing ? strangers_ : shown == Shown::credential ? credentials_ : sealed_;
    const auto left_out = budget.take(source);
    if (!left_out) left_out_.add();
    return left_out;
}

Task<void> Refusals::write(Refusal refusal, RefusalBudget::LeftOut left_out) {
    auto& record = refusal.record;
    Trace trace;
    trace.add(TraceEntry(refusal.problem.check, std::move(refusal.input), Verdict::refuse, refusal.problem.detail));
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(refusal.problem)).key("trace").raw(trace.to_json());
    add_left_out(detail, left_out);
    detail.end_object();
    record.outcome = AuditRecord::Outcome::refused;
    record.check = refusal.problem.check;
    record.detail = detail.take();
    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    store::Batch batch;
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
}

Task<void> Refusals::record(Refusal refusal) {
    deps_.log.info("request_refused", {{"request", refusal.record.request.get()}, {"actor", called(refusal.record.actor)}, {"check", refusal.problem.check}, {"why", refusal.problem.detail}});
    const RefusalBudget::LeftOut none;
    co_await write(std::move(refusal), none);
}

Task<void> Refusals::record(Refusal refusal, Shown shown, std::string address) {
    const auto left_out = admit(shown, http::source_of(address));
    deps_.log.info("request_refused", {{"request", refusal.record.request.get()}, {"actor", called(refusal.record.actor)}, {"address", address}, {"check", refusal.problem.check},
                                       {"why", refusal.problem.detail}, {"recorded", left_out.has_value()}});
    if (!left_out) co_return;
    co_await write(std::move(refusal), *left_out);
}

}  // namespace postern::ra
