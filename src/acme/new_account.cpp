#include "acme/accounts.hpp"
#include "acme/authenticate.hpp"
#include "acme/contacts.hpp"
#include "acme/external_account_binding.hpp"
#include "acme/handlers.hpp"
#include "acme/render.hpp"
#include "acme/terms.hpp"
#include "ra/blocked_keys.hpp"

namespace postern::acme {

namespace {

http::Response account_response(const Call& call, unsigned status, const store::AcmeAccountRow& account) {
    http::Response r = json_response(status, render_account(account, call.urls));
    r.set("Location", call.urls.account(account.token));
    return r;
}

/// §7.3.1: the request's other fields are ignored.
core::Task<Reply> existing_account(Parts& parts, const Call& call, const store::AcmeAccountRow& account) {
    const auto standing = check_standing(account);
    if (standing) co_return account_response(call, 200, account);
    auto record = call.audit(parts.now(), "account.refused", "acme_account", account.token);
    auto refusal = refuse(parts, call, std::move(record), "account " + account.token, standing.error());
    co_return co_await std::move(refusal);
}

/// With whose credential the account acts: the binding's, or the endpoint's open account.
core::Task<Result<Binding>> find_credential(Parts& parts, const Call& call, json::Value binding) {
    if (binding.exists()) co_return co_await verify_binding(parts, call, std::move(binding));
    const Error needed(ErrorType::external_account_required,
                       "this endpoint takes accounts with an externalAccountBinding only; ask the administrator for a "
                       "key id and a MAC key");
    if (call.endpoint.account_required) co_return needed;
    auto open = co_await ra::find_open_account(parts.deps.db, call.endpoint.id);
    if (!open || !open->active || (open->expires && *open->expires <= parts.now())) co_return needed;
    Binding result;
    result.account = std::move(*open);
    co_return result;
}

core::Task<Reply> create(Parts& parts, const Call& call, Binding credential, std::string contacts) {
    const auto now = parts.now();
    store::AcmeAccountRow row;
    row.id = store::AcmeAccountId(co_await parts.deps.numbers.next(store::Series::acme));
    row.token = parts.deps.random.token();
    row.endpoint = call.endpoint.id;
    row.account = credential.account.id;
    row.thumbprint = call.jwk.value().thumbprint;
    row.jwk = call.jwk.value().canonical;
    row.status = "valid";
    row.contacts = std::move(contacts);
    if (!credential.json.empty()) {
        row.binding = credential.json;
        row.binding_kid = credential.account.public_id;
        row.binding_once = credential.account.single_use;
    }
    if (!call.endpoint.terms_of_service.empty()) row.terms = call.endpoint.terms_of_service;
    row.created = row.updated = now;

    json::Writer detail;
    detail.begin_object().member("account", credential.account.name).member("thumbprint", row.thumbprint);
    detail.key("contact").raw(row.contacts);
    if (row.terms) detail.member("terms", *row.terms);
    detail.end_object();
    auto record = call.audit(now, "account.created", "acme_account", row.token);
    record.detail = detail.take();
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);

    store::Batch batch;
    batch.add(store::acme_account_insert, row.insert_values());
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    if (!written) {
        // The same key came twice at once; one made the account, and this is it.
        const auto other = co_await find_account_by_key(parts, call, row.thumbprint);
        if (!other && row.binding_once && written.error().kind == store::Conflict::Kind::duplicate) {
            auto refusal = refuse_used_binding(parts, call, credential.account);
            co_return co_await std::move(refusal);
        }
        if (!other) written.value();
        co_return co_await existing_account(parts, call, *other);
    }
    parts.deps.log.info("acme_account_created", {{"account", row.token}, {"endpoint", call.endpoint.name},
                                                 {"credential", credential.account.name}, observe::request(call.request.id)});
    co_return account_response(call, 201, row);
}

}  // namespace

/// RFC 8555 §7.3. An account is unique for its endpoint and key.
core::Task<Reply> new_account(Parts& parts, Call& call) {
    const auto payload = payload_object(call);
    if (!payload) co_return payload.error();
    const json::Value body = payload->root();
    const auto only_existing = read_flag(body, "onlyReturnExisting");
    if (!only_existing) co_return only_existing.error();
    const auto agreed = read_flag(body, "termsOfServiceAgreed");
    if (!agreed) co_return agreed.error();

    const ra::JudgedKeys keys(call.key);
    if (const auto block = co_await ra::find_block(parts.deps.db, keys)) {
        Error blocked(ErrorType::bad_public_key, ra::block_text(*block));
        blocked.check = "key.blocked";
        co_return blocked;
    }
    const auto existing = co_await find_account_by_key(parts, call, call.jwk->thumbprint);
    if (existing) co_return co_await existing_account(parts, call, *existing);
    // §7.3.1: before terms, contacts and binding are looked at, and with 400: uacme takes no other.
    if (*only_existing)
        co_return Error(ErrorType::account_does_not_exist, "there is no account with this key at this endpoint");
    if (!call.endpoint.terms_of_service.empty() && !*agreed) co_return terms_needed(call.endpoint.terms_of_service);
    auto contacts = read_contacts(body["contact"]);
    if (!contacts) co_return contacts.error();
    auto credential = co_await find_credential(parts, call, body["externalAccountBinding"]);
    if (!credential) co_return credential.error();
    co_return co_await create(parts, call, std::move(*credential), std::move(*contacts));
}

}  // namespace postern::acme
