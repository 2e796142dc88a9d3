#include "api/call.hpp"
#include "api/clients/configuration.hpp"
#include "ca/subject_syntax.hpp"
#include "core/json/writer.hpp"
#include "ra/binding_text.hpp"

/// One-time challenges for SCEP, and bearer tokens for EST: minted for one device each, by whoever manages it.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;

/// What the row and its use say: open, reserved (a request has it), used, withdrawn, expired.
std::string_view state_of(const store::ScepChallengeRow& row, const std::optional<std::string>& use, core::TimePoint now) {
    if (use) return *use == "consumed" ? "used" : "reserved";
    if (row.status != "open") return "withdrawn";
    return row.expires <= now ? "expired" : "open";
}

void write_list(json::Writer& w, std::string_view key, const std::string& stored) { w.key(key).raw(stored); }

core::Result<void> read_sans(const json::Value& list, std::vector<crypto::GeneralName>& into) {
    if (!list.exists()) return {};
    if (!list.is_array() || list.items().size() > 100) return list.problem("expected at most 100 names such as \"dns:phone-7.example.com\"");
    for (const auto& item : list.items()) {
        const auto text = item.string();
        if (!text) return text.error();
        auto name = ra::name_from_text(*text);
        if (!name) return item.problem(name.error().detail);
        into.push_back(std::move(*name));
    }
    return {};
}

core::Result<ra::ChallengeWish> read_wish(const json::Value& root) {
    ra::ChallengeWish wish;
    const auto take = [&](std::string_view key, std::string& into) -> core::Result<void> {
        const auto text = root[key].optional_string();
        if (!text) return text.error();
        if (*text) into = **text;
        return {};
    };
    std::string subject, key_type, ttl;
    for (const auto& [key, into] : {std::pair<std::string_view, std::string*>("account", &wish.account), {"profile", &wish.profile}, {"subject", &subject}, {"keyType", &key_type}, {"ttl", &ttl}})
        if (const auto read = take(key, *into); !read) return read.error();
    auto entries = ra::subject_from_text(subject);
    if (!entries) return root["subject"].problem(entries.error().detail);
    wish.subject = std::move(*entries);
    if (const auto sans = read_sans(root["sans"], wish.names); !sans) return sans.error();
    if (!key_type.empty()) {
        wish.key = crypto::KeySpec::from(key_type);
        if (!wish.key) return root["keyType"].problem("no key type; known: ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096");
    }
    if (!ttl.empty()) {
        wish.lifetime = core::parse_duration(ttl);
        if (!wish.lifetime) return root["ttl"].problem("expected a duration such as \"15m\"");
    }
    if (const auto unbound = root["unbound"]; unbound.exists()) {
        const auto flag = unbound.boolean();
        if (!flag) return flag.error();
        wish.unbound = *flag;
    }
    return wish;
}

/// `what`: how the secret is called in the answer.
core::Task<Answer> mint(Call call, ra::Protocol protocol, std::string_view what) {
    const auto body = read_body(call.request, {"account", "subject", "sans", "profile", "keyType", "ttl", "unbound"});
    if (!body) co_return body.error();
    auto wish = read_wish(body->root());
    if (!wish) co_return wish.error();
    wish->protocol = protocol;
    wish->endpoint = std::string(call.request.params["endpoint"]);
    ra::Principal by = call.principal;
    core::RequestId id = call.request.id;
    const auto minted = co_await call.deps.challenges.mint(std::move(*wish), std::move(by), std::move(id));
    if (!minted) co_return minted.error();
    json::Writer w;
    w.begin_object().member("id", minted->token).member(what, minted->text.expose()).member("account", minted->account);
    w.member("profile", minted->profile).member("expires", core::rfc3339(minted->expires)).end_object();
    co_return json_response(201, w.take());
}

/// {"subject"?, "sans"?}
core::Result<void> read_device(const json::Value& item, ra::ChallengeWish& wish) {
    for (const auto& [name, value] : item.members())
        if (name != "subject" && name != "sans") return value.problem("unknown member");
    const auto text = item["subject"].optional_string();
    if (!text) return text.error();
    auto entries = ra::subject_from_text(text->value_or(""));
    if (!entries) return item["subject"].problem(entries.error().detail);
    // A device cannot ask for what its attribute cannot hold: openssl, for one, makes no such request.
    for (const auto& entry : *entries)
        if (const auto why = ca::why_no_subject_syntax(entry); !why.empty())
            return item["subject"].problem((entry.type == crypto::DnAttribute::other ? entry.oid : std::string(crypto::short_name(entry.type))) + " " + why);
    wish.subject = std::move(*entries);
    return read_sans(item["sans"], wish.names);
}

/// Which devices of a batch, and why: the first 100.
http::Response refused_batch(const http::Request& request, const std::vector<ra::RefusedWish>& refused, std::size_t of) {
    constexpr std::size_t most_told = 100;
    const auto& first = refused.front();
    auto answer = error_response(request, core::Problem(first.why.kind, std::to_string(refused.size()) + " of " + std::to_string(of) + " devices are refused, and no token was minted; device " +
                                                                            std::to_string(first.index + 1) + ": " + first.why.detail));
    json::Writer w;
    w.begin_array();
    for (std::size_t at = 0; at < std::min(refused.size(), most_told); ++at)
        w.begin_object().member("index", static_cast<std::int64_t>(refused[at].index)).member("why", refused[at].why.detail).end_object();
    w.end_array();
    answer.body.insert(answer.body.size() - 1, ",\"refusedDevices\":" + std::to_string(refused.size()) + ",\"refused\":" + w.take());
    return answer;
}

core::Task<Answer> list(Call call, ra::Protocol protocol) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    std::string endpoint(call.request.params["endpoint"]);
    const core::Problem absent(core::ProblemKind::not_found, std::string("there is no ") + (protocol == ra::Protocol::est ? "EST" : "SCEP") + " endpoint " + endpoint);
    ra::Principal by = call.principal;
    const auto rows = co_await call.deps.challenges.list(protocol, std::move(endpoint), std::move(by), *after, *limit);
    if (!rows) co_return absent;
    const auto now = call.deps.clock.now();
    std::string body;
    std::int64_t last = 0;
    for (const auto& raw : *rows) {
        const auto row = store::ScepChallengeRow::from(raw);
        json::Writer w;
        w.begin_object().member("id", row.token).member("state", state_of(row, raw.optional_text(16), now)).member("bound", row.bound).member("profile", row.profile);
        write_list(w, "subject", row.subject);
        write_list(w, "sans", row.names);
        if (!row.key_type.empty()) w.member("keyType", row.key_type);
        w.member("created", core::rfc3339(row.created)).member("expires", core::rfc3339(row.expires)).member("by", row.actor_kind + " " + row.actor);
        if (const auto enrollment = raw.optional_integer(17)) w.member("enrollment", *enrollment);
        w.end_object();
        body += w.take() + "\n";
        last = row.id;
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows->size()) == *limit && last > 0) response.set("X-Next-After", std::to_string(last));
    co_return response;
}

core::Task<Answer> withdraw(Call call, ra::Protocol protocol, std::string token) {
    std::string endpoint(call.request.params["endpoint"]);
    ra::Principal by = call.principal;
    core::RequestId id = call.request.id;
    const auto done = co_await call.deps.challenges.withdraw(protocol, std::move(endpoint), std::move(token), std::move(by), std::move(id));
    if (!done) co_return done.error();
    co_return http::Response(204);
}

}  // namespace

/// {"account"?, "subject"?, "sans"?, "profile"?, "keyType"?, "ttl"?, "unbound"?} -> {"id", "challenge", "account", "profile", "expires"};
/// the challenge is shown this once
core::Task<Answer> mint_challenge(Call call) { return mint(call, ra::Protocol::scep, "challenge"); }
/// The same of an EST endpoint, with "token" for the challenge: the device sends it as Authorization: Bearer.
core::Task<Answer> mint_token(Call call) { return mint(call, ra::Protocol::est, "token"); }

/// {"account"?, "profile"?, "keyType"?, "ttl"?, "scripted"?, "devices": [{"subject"?, "sans"?}]} -> {"account", "profile", "key", "url", "label",
/// "root", "tokens": [{"id", "token", "expires"}]}, in the order of the devices: all or none, with {"refusedDevices", "refused": [{"index", "why"}]}
/// in the error. `scripted`: what such a token alone, with curl, could not enroll is refused.
core::Task<Answer> mint_tokens(Call call) {
    const auto body = read_body(call.request, {"account", "profile", "keyType", "ttl", "scripted", "devices"});
    if (!body) co_return body.error();
    const auto root = body->root();
    auto common = read_wish(root);
    if (!common) co_return common.error();
    common->protocol = ra::Protocol::est;
    common->endpoint = std::string(call.request.params["endpoint"]);
    if (const auto scripted = root["scripted"]; scripted.exists()) {
        const auto flag = scripted.boolean();
        if (!flag) co_return flag.error();
        common->scripted = *flag;
    }
    const auto devices = root["devices"].items();
    if (devices.empty() || devices.size() > ra::OneTimeChallenges::most_at_once)
        co_return root["devices"].problem("expected 1 to " + std::to_string(ra::OneTimeChallenges::most_at_once) + " devices such as {\"subject\": \"CN=router-7\"}");
    std::vector<ra::ChallengeWish> wishes;
    std::vector<ra::RefusedWish> refused;
    for (std::size_t at = 0; at < devices.size(); ++at) {
        wishes.push_back(*common);
        if (const auto read = read_device(devices[at], wishes.back()); !read) refused.emplace_back(at, read.error());
    }
    if (!refused.empty()) co_return refused_batch(call.request, refused, devices.size());
    const auto endpoint = common->endpoint;
    const auto key = common->key;
    ra::Principal by = call.principal;
    core::RequestId id = call.request.id;
    // Once something is minted nothing may fail any more.
    const auto catalog = call.deps.catalog.current();
    const auto* served = catalog->endpoint(ra::Protocol::est, endpoint);
    Operations::ClientFacts told;
    if (served) told = co_await call.deps.operations.client_facts(served->id);
    const auto made = co_await call.deps.challenges.mint_all(std::move(wishes), std::move(by), std::move(id));
    if (!made) co_return made.error();
    if (!made->refused.empty()) co_return refused_batch(call.request, made->refused, devices.size());
    const auto* profile = served ? catalog->profile(served->tenant, made->minted.front().profile) : nullptr;
    const auto of_profile = profile && !profile->keys.empty() ? profile->keys.front() : crypto::KeySpec();
    json::Writer w;
    w.begin_object().member("account", made->minted.front().account).member("profile", made->minted.front().profile).member("key", key.value_or(of_profile).to_string());
    w.member("url", told.est + "/.well-known/est/" + endpoint).member("label", endpoint);
    std::string roots;
    if (!told.chain.empty()) {
        roots = crypto::to_pem("CERTIFICATE", told.chain.back());
        for (const auto& other : clients::other_roots(call.deps.backends, told.chain.back())) roots += crypto::to_pem("CERTIFICATE", other);
    }
    w.member("root", roots).key("tokens").begin_array();
    for (const auto& each : made->minted) w.begin_object().member("id", each.token).member("token", each.text.expose()).member("expires", core::rfc3339(each.expires)).end_object();
    w.end_array().end_object();
    co_return json_response(201, w.take());
}

/// ?after=N&limit=N: one JSON object a line, rising; X-Next-After names the next page. Never a challenge's text.
core::Task<Answer> list_challenges(Call call) { return list(call, ra::Protocol::scep); }
core::Task<Answer> list_tokens(Call call) { return list(call, ra::Protocol::est); }

/// From then on it is refused; one that was used stays used (conflict).
core::Task<Answer> withdraw_challenge(Call call) { return withdraw(call, ra::Protocol::scep, std::string(call.request.params["challenge"])); }
core::Task<Answer> withdraw_token(Call call) { return withdraw(call, ra::Protocol::est, std::string(call.request.params["token"])); }

}  // namespace postern::api
