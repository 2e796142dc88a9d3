#include "acme/external_account_binding.hpp"

#include <algorithm>
#include <array>

#include "core/json/writer.hpp"

namespace postern::acme {

namespace {

struct MacAlgorithm {
    std::string_view name;
    crypto::HmacHash hash;
};
constexpr std::array mac_algorithms{MacAlgorithm{"HS256", crypto::HmacHash::sha256},
                                    MacAlgorithm{"HS384", crypto::HmacHash::sha384},
                                    MacAlgorithm{"HS512", crypto::HmacHash::sha512}};
constexpr std::string_view inner = "externalAccountBinding";

Error malformed(std::string_view what) {
    std::string detail(inner);
    detail.append(": ").append(what);
    return {ErrorType::malformed, std::move(detail)};
}

Error refused(const std::string& kid, std::string_view why) {
    std::string detail(inner);
    detail.append(": the key id \"").append(kid, 0, 100).append("\" ").append(why);
    Error e(ErrorType::unauthorized, std::move(detail));
    e.check = "account.binding";
    return e;
}
constexpr std::string_view used_up = "is good for one account and has made it; ask the administrator for another";
constexpr std::string_view not_known = "is unknown at this endpoint, or the MAC is not made with its key";

bool key_id_is_ascii(std::string_view kid) {
    return !kid.empty() && std::ranges::all_of(kid, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string rebuild(const json::Value& object) {
    json::Writer w;
    w.begin_object();
    for (const std::string_view name : {"protected", "payload", "signature"}) {
        const auto text = object[name].string();
        w.member(name, text ? *text : std::string_view());
    }
    w.end_object();
    return w.take();
}

/// The refusal of a key id that exists: on record with what was wrong, whatever the client is told.
core::Task<Error> refuse_credential(Parts& parts, const Call& call, const ra::Account& account, ra::Trace trace, Error told) {
    told.check = "account.binding";
    auto record = call.audit(parts.now(), "account.binding", "account", account.name);
    return refuse(parts, call, std::move(record), std::move(trace), std::move(told));
}

}  // namespace

Result<BindingRequest> parse_binding(const json::Value& object, std::string_view outer_url, const crypto::Jwk& outer_key) {
    auto jws = parse_flattened(object, inner);
    if (!jws) return jws.error();
    const json::Value header = jws->header.root();
    const auto algorithm = header["alg"].string();
    if (!algorithm) return malformed(algorithm.error().detail);
    const auto known = std::ranges::find(mac_algorithms, *algorithm, &MacAlgorithm::name);
    if (known == mac_algorithms.end()) return malformed("the algorithm must be HS256, HS384 or HS512");
    const auto kid = header["kid"].string();
    if (!kid) return malformed(kid.error().detail);
    if (!key_id_is_ascii(*kid)) return malformed("the kid must be the key id that the administrator gave, in ASCII");
    const auto url = header["url"].string();
    if (!url) return malformed(url.error().detail);
    if (*url != outer_url) return malformed("its url must be that of the outer JWS, " + std::string(outer_url));
    if (header.contains("nonce")) return malformed("it must not have a nonce");
    if (header.contains("jwk")) return malformed("it must not have a jwk in its header; the key id is enough");
    const auto key = crypto::parse_jwk(std::string_view(jws->payload));
    if (!key) return malformed("its payload must be the account's key as a JWK: " + key.error().detail);
    if (key->thumbprint != outer_key.thumbprint) return malformed("its payload is another key than the one that signs the request");
    std::string kid_text(*kid);
    return BindingRequest{std::move(kid_text), known->hash, std::move(*jws), rebuild(object)};
}

bool mac_is_right(const BindingRequest& request, core::BytesView key) {
    const core::Bytes mac = crypto::hmac(request.hash, key, core::as_bytes(request.jws.signing_input));
    return core::equal_constant_time(mac, request.jws.signature);
}

core::Task<Error> refuse_used_binding(Parts& parts, const Call& call, const ra::Account& account) {
    ra::Trace trace;
    trace.add(ra::TraceEntry("account.binding", "key id " + account.public_id, ra::Verdict::refuse, std::string(used_up)));
    return refuse_credential(parts, call, account, std::move(trace), refused(account.public_id, used_up));
}

core::Task<Result<Binding>> verify_binding(Parts& parts, const Call& call, json::Value object) {
    const auto request = parse_binding(object, call.url, call.jwk.value());
    if (!request) co_return request.error();
    auto account = co_await ra::find_account_by_public_id(parts.deps.db, call.endpoint.id, request->kid);
    if (!account || account->method != ra::AccountMethod::eab) {
        // The work of a known key id, so that time does not tell which ids exist.
        static constexpr std::array<std::uint8_t, 32> no_key{};
        static_cast<void>(mac_is_right(*request, no_key));
        co_return refused(request->kid, not_known);
    }
    if (account->secret_sealed.empty()) {
        static constexpr std::array<std::uint8_t, 32> no_key{};
        static_cast<void>(mac_is_right(*request, no_key));
        ra::Trace void_key;
        void_key.add(ra::TraceEntry("account.binding", "key id " + request->kid, ra::Verdict::refuse,
                                    "its key was made void when a backup was restored; give the account a new secret"));
        auto refusal = refuse_credential(parts, call, *account, std::move(void_key), refused(request->kid, not_known));
        co_return co_await std::move(refusal);
    }
    const auto key = ra::open_account_secret(parts.deps.sealer, *account);
    if (!key) {
        parts.deps.log.error("account_secret_unreadable", {{"account", account->name}, observe::request(call.request.id)});
        co_return to_error(core::Problem(core::ProblemKind::internal, "account secret sealed under another master key"));
    }
    ra::Trace trace;
    if (!mac_is_right(*request, key->expose())) {
        trace.add(ra::TraceEntry("account.binding", "key id " + request->kid, ra::Verdict::refuse, "the MAC is not made with its key"));
        auto refusal = refuse_credential(parts, call, *account, std::move(trace), refused(request->kid, not_known));
        co_return co_await std::move(refusal);
    }
    const bool expired = account->expires && *account->expires <= parts.now();
    if (!account->active || expired) {
        const std::string_view why = expired ? "is expired; ask the administrator for another"
                                             : "is disabled; ask the administrator for another";
        trace.add(ra::TraceEntry("account.binding", "key id " + request->kid, ra::Verdict::pass, "the MAC is made with its key"));
        trace.add(ra::TraceEntry("account.active", "account " + account->name, ra::Verdict::refuse, std::string(why)));
        auto refusal = refuse_credential(parts, call, *account, std::move(trace), refused(request->kid, why));
        co_return co_await std::move(refusal);
    }
    if (account->single_use) {
        auto by = store::values(account->id, account->public_id);
        const auto used = co_await store::read_one(parts.deps.db, store::acme_account_bound_by, std::move(by));
        if (used) {
            auto refusal = refuse_used_binding(parts, call, *account);
            co_return co_await std::move(refusal);
        }
    }
    Binding binding;
    binding.account = std::move(*account);
    binding.json = request->json;
    co_return binding;
}

}  // namespace postern::acme
