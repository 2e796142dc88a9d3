#include "ra/refusals.hpp"

#include "core/json/writer.hpp"
#include "ra/enrollment_steps.hpp"

namespace postern::ra {

using core::Task;

Refusals::Refusals(Deps deps)
    : deps_(deps),
      strangers_(deps.clock, of_strangers),
      credentials_(deps.clock, of_credentials),
      left_out_(deps.metrics.counter("postern_refusals_not_recorded_total", "Refusals of nobody in particular that are in the log alone, because there were too many")) {}

Task<void> Refusals::write(Refusal refusal, std::int64_t left_out) {
    auto& record = refusal.record;
    Trace trace;
    trace.add(TraceEntry(refusal.problem.check, std::move(refusal.input), Verdict::refuse, refusal.problem.detail));
    json::Writer detail;
    detail.begin_object().key("problem").raw(problem_json(refusal.problem)).key("trace").raw(trace.to_json());
    if (left_out > 0) detail.member("not_recorded_before", left_out);
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
    co_await write(std::move(refusal), 0);
}

Task<void> Refusals::record(Refusal refusal, Shown shown, std::string address) {
    auto& budget = shown == Shown::nothing ? strangers_ : credentials_;
    const auto left_out = budget.take(address);
    deps_.log.info("request_refused", {{"request", refusal.record.request.get()}, {"actor", called(refusal.record.actor)}, {"address", address}, {"check", refusal.problem.check},
                                       {"why", refusal.problem.detail}, {"recorded", left_out.has_value()}});
    if (!left_out) {
        left_out_.add();
        co_return;
    }
    co_await write(std::move(refusal), *left_out);
}

}  // namespace postern::ra
