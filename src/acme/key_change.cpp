#include "acme/accounts.hpp"
#include "acme/authenticate.hpp"
#include "acme/handlers.hpp"
#include "acme/jws.hpp"
#include "acme/render.hpp"
#include "core/json/writer.hpp"
#include "ra/blocked_keys.hpp"

namespace postern::acme {

namespace {

constexpr std::string_view inner = "the inner JWS";

/// A message of good form with the wrong account or key in it.
Error refused_key(ErrorType type, unsigned status, std::string detail) {
    Error e(type, status, std::move(detail));
    e.check = "account.key";
    return e;
}
Error malformed(std::string detail) { return {ErrorType::malformed, std::move(detail)}; }

/// The inner JWS: signed by the new key over the same URL, and no request by itself.
Result<crypto::Jwk> read_new_key(const Call& call, const Jws& jws) {
    if (!jws.has_jwk) return malformed("the inner JWS must have the new key as jwk in its header, no kid");
    if (jws.nonce) return malformed("the inner JWS must not have a nonce");
    if (jws.url != call.url) return malformed("the url of the inner JWS must be that of the outer one, " + call.url);
    auto key = jws.jwk();
    if (!key) return key.error();
    if (const auto signed_well = verify(jws, key->key, inner); !signed_well) return signed_well.error();
    return key;
}

/// The keyChange object: nobody else's request can be carried off to this account, nor to this key.
Result<void> check_payload(const Call& call, const Jws& jws, const crypto::Jwk& new_key) {
    const auto object = json::Document::parse(jws.parts.payload);
    if (!object) return malformed("the payload of the inner JWS: " + object.error().detail);
    const auto account = object->root()["account"].string();
    if (!account) return malformed("the payload of the inner JWS: " + account.error().detail);
    if (*account != call.urls.account(call.requester().token))
        return refused_key(ErrorType::malformed, 400, "account in the inner JWS is not the account that signed the outer one");
    const auto old_key = crypto::parse_jwk(object->root()["oldKey"]);
    if (!old_key) return malformed("oldKey in the inner JWS: " + old_key.error().detail);
    if (old_key->thumbprint != call.requester().thumbprint) return refused_key(ErrorType::malformed, 400, "oldKey in the inner JWS is not the account's key");
    if (new_key.thumbprint == old_key->thumbprint) return refused_key(ErrorType::malformed, 400, "the new key is the account's key already");
    return {};
}

core::Task<Result<void>> check_unblocked(Parts& parts, const crypto::PublicKey& key) {
    const ra::JudgedKeys keys(key);
    const auto block = co_await ra::find_block(parts.deps.db, keys);
    if (!block) co_return Result<void>();
    Error blocked(ErrorType::bad_public_key, ra::block_text(*block));
    blocked.check = "key.blocked";
    co_return blocked;
}

/// Why the batch missed: the key has an account, also one that is deactivated; or this account is not what it was.
core::Task<Error> explain(Parts& parts, const Call& call, const crypto::Jwk& new_key) {
    const auto holder = co_await find_account_by_key(parts, call, new_key.thumbprint);
    if (holder && holder->token != call.requester().token) {
        Error taken = refused_key(ErrorType::malformed, 409, "the new key is the key of another account");
        taken.headers.emplace_back("Location", call.urls.account(holder->token));
        co_return taken;
    }
    const auto account = co_await reread_requester(parts, call);
    if (!account) co_return not_found();
    if (const auto standing = check_standing(*account); !standing) co_return standing.error();
    const auto unblocked = co_await check_unblocked(parts, new_key.key);
    if (!unblocked) co_return unblocked.error();
    co_return refused_key(ErrorType::malformed, 400, "oldKey in the inner JWS is not the account's key: it was changed a moment ago");
}

}  // namespace

/// RFC 8555 §7.3.5. Orders, authorizations and certificates are the account's, so they stay.
core::Task<Reply> key_change(Parts& parts, Call& call) {
    const auto jws = parse_jws(call.payload, inner);
    if (!jws) co_return jws.error();
    const auto new_key = read_new_key(call, *jws);
    if (!new_key) co_return new_key.error();
    if (const auto fits = check_payload(call, *jws, *new_key); !fits) co_return fits.error();
    const auto unblocked = co_await check_unblocked(parts, new_key->key);
    if (!unblocked) co_return unblocked.error();

    const auto now = parts.now();
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    auto record = call.audit(now, "account.key_changed", "acme_account", call.requester().token);
    json::Writer detail;
    detail.begin_object().member("from", call.requester().thumbprint).member("to", new_key->thumbprint).end_object();
    record.detail = detail.take();
    // Of two that come at once, one finds the key that it names as the old one.
    store::Batch batch;
    batch.add(store::acme_account_key, store::values(call.requester().id, call.requester().thumbprint, new_key->thumbprint, new_key->canonical, now));
    ra::guard_unblocked(batch, ra::JudgedKeys(new_key->key));
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    parts.accounts.forget(call.requester().token);
    if (!written) co_return co_await explain(parts, call, *new_key);
    const auto account = co_await reread_requester(parts, call);
    if (!account) co_return not_found();
    co_return json_response(200, render_account(*account, call.urls));
}

}  // namespace postern::acme
