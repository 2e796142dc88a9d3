#include "ra/parked_messages.hpp"

#include "core/json/writer.hpp"
#include "ra/audit.hpp"

namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

Task<std::vector<store::OutboxEntry>> ParkedMessages::page(Status status, std::string after, std::int64_t limit) {
    std::string state = status == Status::parked ? "parked" : "waiting";
    auto parameters = store::values(std::move(after), limit, std::move(state));
    const auto rows = co_await deps_.db.read(store::outbox_page, std::move(parameters));
    std::vector<store::OutboxEntry> out;
    out.reserve(rows.size());
    for (const auto& row : rows) out.push_back(store::OutboxEntry::from(row));
    co_return out;
}

Task<Result<void>> ParkedMessages::retry(std::string id, Principal by, core::RequestId request) {
    store::Batch batch;
    batch.add(store::outbox_retry, store::values(id, deps_.clock.now()));
    auto concluded = conclude(std::move(batch), std::move(id), "message.retried", std::move(by), std::move(request));
    co_return co_await std::move(concluded);
}

Task<Result<void>> ParkedMessages::drop(std::string id, Principal by, core::RequestId request) {
    store::Batch batch;
    batch.add(store::outbox_drop, store::values(id));
    auto concluded = conclude(std::move(batch), std::move(id), "message.dropped", std::move(by), std::move(request));
    co_return co_await std::move(concluded);
}

Task<Result<void>> ParkedMessages::conclude(store::Batch batch, std::string id, std::string action, Principal by, core::RequestId request) {
    const Problem absent(ProblemKind::not_found, "no message " + id + " is parked; `postern outbox list` shows those that are");
    auto by_id = store::values(id);
    const auto found = co_await store::read_one(deps_.db, store::outbox_parked_by_id, std::move(by_id));
    if (!found) co_return absent;
    const auto message = store::OutboxEntry::from(*found);

    const auto audit_id = co_await deps_.numbers.next(store::Series::audit);
    AuditRecord record;
    record.at = deps_.clock.now();
    record.request = std::move(request);
    record.actor = by.actor;
    record.action = std::move(action);
    record.object_kind = "message";
    record.object_id = id;
    json::Writer detail;
    detail.begin_object().member("kind", message.kind).member("failures", message.failures).member("last_error", message.last_error);
    detail.member("body", message.body).end_object();
    record.detail = detail.take();
    add_audit(batch, audit_id, record);
    const auto written = co_await deps_.db.write(std::move(batch));
    if (!written) co_return absent;  // somebody else was first
    co_return Result<void>();
}

}  // namespace postern::ra
