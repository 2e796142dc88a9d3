#include "acme/accounts.hpp"
#include "acme/contacts.hpp"
#include "acme/handlers.hpp"
#include "acme/render.hpp"
#include "acme/terms.hpp"
#include "core/json/writer.hpp"
#include "store/tables/acme_order.hpp"

namespace postern::acme {

namespace {

/// Whoever lost a race against another change reads what became of the account.
core::Task<Reply> write(Parts& parts, const Call& call, store::Batch batch, ra::AuditRecord record) {
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    ra::add_audit(batch, audit_id, record);
    static_cast<void>(co_await parts.deps.db.write(std::move(batch)));
    parts.accounts.forget(call.requester().token);
    const auto account = co_await reread_requester(parts, call);
    if (!account) co_return not_found();
    co_return json_response(200, render_account(*account, call.urls));
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

/// What an update changes; what it leaves out stays.
struct Update {
    Update() = default;
    std::optional<std::string> contacts;
    bool agrees = false;  ///< to terms that it has not agreed to yet
};

Result<Update> read_update(const Call& call, const json::Value& body) {
    Update update;
    const auto agreed = read_flag(body, "termsOfServiceAgreed");
    if (!agreed) return agreed.error();
    update.agrees = *agreed && !agreed_to_terms(call);
    if (!body.contains("contact")) return update;
    auto contacts = read_contacts(body["contact"]);
    if (!contacts) return contacts.error();
    update.contacts = std::move(*contacts);
    return update;
}

/// RFC 8555 §7.3.2, §7.3.3.
core::Task<Reply> apply(Parts& parts, const Call& call, Update update) {
    const auto now = parts.now();
    const auto& terms = call.endpoint.terms_of_service;
    store::Batch batch;
    json::Writer detail;
    detail.begin_object();
    if (update.contacts) {
        batch.add(store::acme_account_contacts, store::values(call.requester().id, *update.contacts, now));
        detail.key("contact").raw(*update.contacts);
    }
    if (update.agrees) {
        batch.add(store::acme_account_terms, store::values(call.requester().id, terms, now));
        detail.member("terms", terms);
    }
    detail.end_object();
    auto record = call.audit(now, "account.updated", "acme_account", call.requester().token);
    record.detail = detail.take();
    co_return co_await write(parts, call, std::move(batch), std::move(record));
}

}  // namespace

/// RFC 8555 §7.3.2: read, change contacts, agree to new terms, deactivate. Unknown members are ignored.
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
    auto update = read_update(call, body);
    if (!update) co_return update.error();
    if (!update->contacts && !update->agrees) co_return json_response(200, render_account(call.requester(), call.urls));
    co_return co_await apply(parts, call, std::move(*update));
}

}  // namespace postern::acme
