#include "ra/documents.hpp"

#include "core/json/writer.hpp"
#include "ra/documents/plan.hpp"
#include "store/tables/turn.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using documents::Step;

/// The statement that makes a step so; nothing for one that keeps what is there.
void add_change(store::Batch& batch, const Step& step) {
    const auto& s = documents::statements_of(step.line.kind);
    const auto with_keys = [&](store::Values v) {
        v.insert(v.end(), step.row.keys.begin(), step.row.keys.end());
        return v;
    };
    const auto& row = step.row;
    switch (step.line.change) {
        case PlanLine::Change::keep: return;
        case PlanLine::Change::create:
            batch.add(s.insert, with_keys(store::values(row.id, row.tenant_id, row.name, row.status, row.version, row.body,
                                                        row.created, row.updated, row.updated_by)));
            return;
        case PlanLine::Change::update:
            batch.add(s.update, with_keys(store::values(row.id, step.stored->version, row.status, row.body, row.updated, row.updated_by)));
            return;
        case PlanLine::Change::remove: batch.add(s.remove, store::values(step.stored->id, step.stored->version)); return;
    }
}

/// The audit log is for more eyes than a program's arguments and variables are.
std::string audited(std::string_view kind, const std::string& field) {
    if (kind == "backend")
        for (const auto key : documents::hidden_keys())
            if (field.starts_with(std::string(key) + ": ")) return std::string(key) + ": changed";
    return field;
}

AuditRecord audit_of(const Step& step, const Principal& by, const core::RequestId& request, core::TimePoint now) {
    AuditRecord record;
    record.at = now;
    record.tenant = core::TenantId(step.stored ? step.stored->tenant_id : step.row.tenant_id);
    record.request = request;
    record.actor = by.actor;
    record.action = step.line.change == PlanLine::Change::create   ? "configuration.created"
                    : step.line.change == PlanLine::Change::update ? "configuration.changed"
                                                                   : "configuration.removed";
    record.object_kind = step.line.kind;
    record.object_id = step.line.name;
    json::Writer detail;
    detail.begin_object().key("changes").begin_array();
    for (const auto& f : step.line.fields) detail.string(audited(step.line.kind, f));
    detail.end_array().end_object();
    record.detail = detail.take();
    return record;
}

Problem lost_to(const store::Conflict& conflict) {
    Problem problem(ProblemKind::conflict, "somebody else changed the configuration meanwhile; look at the plan again");
    if (conflict.kind != store::Conflict::Kind::referenced) return problem;
    std::string kind = "object";
    for (const auto& k : documents::kinds())
        if (conflict.statement == &documents::statements_of(k.name).remove) kind = k.name;
    problem.detail = "an " + kind + " to be removed is still referred to, by requests, certificates or other objects; say enabled = false instead";
    if (kind.front() != 'a' && kind.front() != 'e' && kind.front() != 'o') problem.detail.erase(1, 1);
    return problem;
}

}  // namespace

core::Task<Result<ApplyReport>> Documents::apply(std::vector<DocumentText> texts, ApplyOptions options, Principal by,
                                                 core::RequestId request) {
    const auto wanted = documents::read(texts);
    if (!wanted) co_return wanted.error();
    const auto stored = co_await documents::load_stored(deps_.db);
    const auto now = deps_.clock.now();
    const documents::Plan::Deps plan_deps{deps_.numbers, deps_.backends, deps_.sealer, deps_.random, deps_.pool};
    documents::Plan plan(plan_deps, stored, by, options, now);
    for (const auto& object : *wanted) co_await plan.add(object);
    if (options.prune) plan.prune();
    plan.check_whole();
    if (!plan.errors().empty()) co_return Problem(ProblemKind::malformed, plan.errors());

    ApplyReport report;
    report.secrets = plan.take_secrets();
    store::Batch batch;
    // Whoever changed anything since the plan was made wins; this one is refused.
    batch.add(store::configuration_turn, {}, store::Expect::any);
    batch.add(store::configuration_advance, store::values(stored.configuration));
    for (const auto& step : plan.steps()) {
        report.plan.push_back(step.line);
        if (step.line.change == PlanLine::Change::keep) continue;
        report.changed = true;
        add_change(batch, step);
        const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
        add_audit(batch, audit_id, audit_of(step, by, request, now));
    }
    if (options.dry_run || !report.changed) co_return std::move(report);

    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return lost_to(written.error());
    co_await deps_.catalog.refresh();
    co_return std::move(report);
}

}  // namespace postern::ra
