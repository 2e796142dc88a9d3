#include "acme/authenticate.hpp"

#include "acme/jws.hpp"

namespace postern::acme {

namespace {

Error bad_nonce() {
    // acme.sh looks for these words.
    return {ErrorType::bad_nonce, "JWS has an invalid anti-replay nonce: it is missing, unknown, old or used; retry with a fresh one"};
}

Error no_account(const Call& call) {
    return {ErrorType::account_does_not_exist,
            "the kid names no account of this directory; it must be the account URL exactly, " +
                call.urls.account_prefix() + "…, as newAccount answered it"};
}

/// Which of jwk and kid the resource takes (RFC 8555 §6.2).
Result<void> check_key_form(const Jws& jws, Auth auth) {
    if (auth == Auth::jws_kid && jws.has_jwk)
        return Error(ErrorType::malformed, "this resource takes requests signed by an account: send kid, not jwk");
    if (auth == Auth::jws_jwk && !jws.has_jwk)
        return Error(ErrorType::malformed, "newAccount takes the key itself: send jwk, not kid");
    return {};
}

core::Task<std::shared_ptr<const KnownAccount>> find_by_kid(Parts& parts, const Call& call, const std::string& kid, bool anew = false) {
    const std::string prefix = call.urls.account_prefix();
    if (!kid.starts_with(prefix)) co_return nullptr;
    const std::string token = kid.substr(prefix.size());
    AccountCache::Moment moment(call.catalog->version, std::chrono::steady_clock::now());
    if (auto known = parts.accounts.find(call.endpoint.id, token, moment); known && !anew) co_return known;
    auto parameters = store::values(token, call.endpoint.id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_by_token, std::move(parameters));
    if (!row) co_return nullptr;
    co_return parts.accounts.keep(store::AcmeAccountRow::from(*row), moment);
}

}  // namespace

core::Task<Result<void>> authenticate(Parts& parts, Call& call, Auth auth) {
    const http::Request& request = call.request;
    if (!http::media_type_is(request.header("Content-Type"), "application/jose+json"))
        co_return Error(ErrorType::malformed, 415, "the Content-Type must be application/jose+json (RFC 8555 section 6.2)");
    auto jws = parse_jws(request.body);
    if (!jws) co_return jws.error();
    // §6.4: what was signed for one URL is good for no other.
    if (jws->url != parts.deps.https_base + request.target) {
        Error elsewhere(ErrorType::unauthorized, 401, "the JWS url is not the URL of this request, " + parts.deps.https_base +
                                                          request.target + " (RFC 8555 section 6.4)");
        elsewhere.check = "request.url";
        co_return elsewhere;
    }
    if (const auto form = check_key_form(*jws, auth); !form) co_return form.error();

    std::shared_ptr<const KnownAccount> account;
    if (jws->has_jwk) {
        auto jwk = jws->jwk();
        if (!jwk) co_return jwk.error();
        call.key = jwk->key;
        call.jwk = std::move(*jwk);
    } else {
        account = co_await find_by_kid(parts, call, *jws->kid);
        if (!account) co_return no_account(call);
        call.key = account->key;
    }
    auto signed_well = verify(*jws, call.key);
    if (!signed_well && account) {
        // On another node the account may have got another key since it was read here.
        account = co_await find_by_kid(parts, call, *jws->kid, true);
        if (!account) co_return no_account(call);
        call.key = account->key;
        signed_well = verify(*jws, call.key);
    }
    if (!signed_well) {
        auto wrong = signed_well.error();
        if (wrong.type != ErrorType::bad_signature_algorithm) wrong.check = "request.signature";
        co_return wrong;
    }

    if (!jws->nonce) co_return bad_nonce();
    const bool fresh = co_await parts.deps.nonces.redeem(*jws->nonce);
    if (!fresh) co_return bad_nonce();

    // From here on the request is the account's: the signature is its own, and not a replay.
    call.account = std::move(account);
    if (call.account) {
        if (auto standing = check_standing(call.account->row); !standing) {
            auto record = call.audit(parts.now(), "request.refused", "acme_account", call.account->row.token);
            auto refusal = refuse(parts, call, std::move(record), "account " + call.account->row.token, standing.error());
            co_return co_await std::move(refusal);
        }
    }
    call.url = std::move(jws->url);
    call.payload = std::move(jws->parts.payload);
    co_return Result<void>();
}

Result<void> check_standing(const store::AcmeAccountRow& account) {
    Error gone(ErrorType::unauthorized, 401, "");
    gone.check = "account.active";
    if (account.status != "valid") {
        gone.detail = "the account is " + account.status + "; its key cannot be used here again (RFC 8555 section 7.3.6)";
        return gone;
    }
    if (account.account_status != "active") {
        gone.detail = "the administrator disabled the credential that this account was made with";
        return gone;
    }
    return {};
}

}  // namespace postern::acme
