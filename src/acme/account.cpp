#include "acme/contacts.hpp"
#include "acme/handlers.hpp"
#include "acme/render.hpp"
#include "store/tables/acme_order.hpp"

namespace postern::acme {

namespace {

core::Task<Reply> reread(Parts& parts, const Call& call) {
    auto parameters = store::values(call.requester().token, call.endpoint.id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_by_token, std::move(parameters));
    if (!row) co_return not_found();
    const auto account = store::AcmeAccountRow::from(*row);
    co_return json_response(200, render_account(account, call.urls));
}

/// Whoever lost a race against another change reads what became of the account.
core::Task<Reply> write(Parts& parts, const Call& call, store::Batch batch, ra::AuditRecord record) {
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    ra::add_audit(batch, audit_id, record);
    static_cast<void>(co_await parts.deps.db.write(std::move(batch)));
    parts.accounts.forget(call.requester().token);
    co_return co_await reread(parts, call);
}

/// RFC 8555 §7.3.6: open orders end, certificates stay, the key is used up here.
core::Task<Reply> deactivate(Parts& parts, const Call& call) {
    const auto now = parts.now();
    Error why(ErrorType::unauthorized, "the account was deactivated");
    why.check = "account.active";
    store::Batch batch;
    batch.add(store::acme_account_deactivate, store::values(call.requester().id, now));
    batch.add(store::acme_order_fail_all, store::values(call.requester().id, now, to_json(why, call.request.id)),
              store::Expect::any);
    auto record = call.audit(now, "account.deactivated", "acme_account", call.requester().token);
    co_return co_await write(parts, call, std::move(batch), std::move(record));
}

core::Task<Reply> update_contacts(Parts& parts, const Call& call, std::string contacts) {
    const auto now = parts.now();
    store::Batch batch;
    batch.add(store::acme_account_contacts, store::values(call.requester().id, contacts, now));
    auto record = call.audit(now, "account.updated", "acme_account", call.requester().token);
    record.detail = "{\"contact\":" + contacts + "}";
    co_return co_await write(parts, call, std::move(batch), std::move(record));
}

}  // namespace

/// RFC 8555 §7.3.2: read, change contacts, deactivate. Unknown members are ignored.
core::Task<Reply> account(Parts& parts, Call& call) {
    if (call.token() != call.requester().token) co_return not_found();
    if (call.payload.empty()) co_return json_response(200, render_account(call.requester(), call.urls));
    const auto payload = payload_object(call);
    if (!payload) co_return payload.error();
    const json::Value body = payload->root();
    if (body.contains("status")) {
        const auto status = body["status"].string();
        if (!status || *status != "deactivated")
            co_return Error(ErrorType::malformed, "the only status that an account can be given is \"deactivated\"");
        co_return co_await deactivate(parts, call);
    }
    if (!body.contains("contact")) co_return json_response(200, render_account(call.requester(), call.urls));
    auto contacts = read_contacts(body["contact"]);
    if (!contacts) co_return contacts.error();
    co_return co_await update_contacts(parts, call, std::move(*contacts));
}

}  // namespace postern::acme
