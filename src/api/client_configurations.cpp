#include "api/call.hpp"
#include "api/clients/configuration.hpp"
#include "core/base/encoding.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "ra/names.hpp"

namespace postern::api {

namespace {

/// An access code; a challenge that Intune sealed, as a CSR may have it.
constexpr std::size_t longest_name = 64, longest_code = 255, longest_sealed = std::size_t{16} * 1024;

/// What stands in a command line or a profile: no quotes, no control characters, nothing that a shell or an image takes for more.
core::Result<std::string> read_name(const json::Value& value) {
    const auto text = value.optional_string();
    if (!text) return text.error();
    if (!*text) return std::string();
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view(" ._-@{}$%").find(c) != std::string_view::npos; };
    if ((*text)->empty() || (*text)->size() > longest_name || !std::ranges::all_of(**text, plain))
        return value.problem("expected 1 to 64 letters, digits, spaces and . _ - @ { } $ %");
    return std::string(**text);
}

/// For ACME it is a name to be validated by http-01, which stands in lines without quotes. Empty: nobody said one.
core::Result<std::string> read_host(const json::Value& value) {
    const auto text = value.optional_string();
    if (!text) return text.error();
    if (!*text) return std::string();
    if (auto address = crypto::canonical_ip(**text); !address.empty()) return address;
    ra::NameRules rules;
    rules.wildcard = false;
    rules.single_label = true;
    auto name = ra::normalize_dns(**text, rules);
    if (!name) return value.problem("expected a DNS name or an address: " + name.error().detail);
    return name;
}

core::Result<std::optional<core::SecretText>> read_challenge(const json::Value& value, bool sealed) {
    const auto text = value.optional_string();
    if (!text) return text.error();
    std::optional<core::SecretText> out;
    if (!*text) return out;
    const auto printable = std::ranges::all_of(**text, [](char c) { return c > ' ' && c < '\x7f'; });
    if ((*text)->empty() || (*text)->size() > (sealed ? longest_sealed : longest_code) || !printable)
        return value.problem(sealed ? "expected a challenge of Intune's: 1 to 16384 characters of ASCII that can be seen"
                                    : "expected an access code: 1 to 255 characters of ASCII that can be seen");
    out.emplace(std::string(**text));
    return out;
}

/// A user name of HTTP Basic (RFC 7617).
core::Result<std::string> read_user(const json::Value& value) {
    const auto text = value.optional_string();
    if (!text) return text.error();
    if (!*text) return std::string();
    const auto printable = std::ranges::all_of(**text, [](char c) { return c >= ' ' && c < '\x7f' && c != ':'; });
    if ((*text)->empty() || (*text)->size() > longest_code || !printable) return value.problem("expected a user name: 1 to 255 characters of ASCII that can be seen, no colon");
    return std::string(**text);
}

struct Chosen {
    const ra::Endpoint* endpoint;
    clients::Client client;
};

/// A word may be a client of several protocols: then the endpoint tells which.
core::Result<Chosen> choose(const ra::Catalog& catalog, const ra::Principal& by, std::string_view name, const std::vector<clients::Client>& known) {
    std::optional<Chosen> out;
    for (const auto client : known) {
        const auto* endpoint = catalog.endpoint(clients::protocol_of(client), name);
        if (!endpoint || (by.tenant && *by.tenant != endpoint->tenant)) continue;
        if (out)
            return core::Problem(core::ProblemKind::conflict, "two endpoints are called " + std::string(name) + ", and " + std::string(clients::to_string(client)) + " speaks " +
                                                                  std::string(ra::to_string(out->endpoint->protocol)) + " and " + std::string(ra::to_string(endpoint->protocol)) +
                                                                  "; give one of them another name");
        out = Chosen{endpoint, client};
    }
    if (out) return *out;
    for (const auto& other : catalog.endpoints)
        if (other.name == name && (!by.tenant || *by.tenant == other.tenant))
            return core::Problem(core::ProblemKind::conflict, "endpoint " + std::string(name) + " speaks " + std::string(ra::to_string(other.protocol)) + ", which " +
                                                                  std::string(clients::to_string(known.front())) + " is not set up for here; --for takes: " + clients::known_clients(other.protocol));
    return core::Problem(core::ProblemKind::not_found, "there is no endpoint " + std::string(name));
}

std::string placeholder_name(const ra::Endpoint& endpoint, const ra::Profile& profile) {
    const bool device = endpoint.protocol == ra::Protocol::scep || (endpoint.protocol == ra::Protocol::est && profile.text_common_name);
    return device ? "DEVICE-NAME" : "NAME.example.com";
}

}  // namespace

/// {"endpoint", "for", "name"?, "user"?, "challenge"?} -> {"text", "values": {…}, "files": [{"name", "what", "content": base64}]}. POST: a challenge has no place in a URL.
core::Task<Answer> configure_client(Call call) {
    const auto body = read_body(call.request, {"endpoint", "for", "name", "user", "challenge"});
    if (!body) co_return body.error();
    const auto root = body->root();
    const auto endpoint_name = root["endpoint"].string();
    if (!endpoint_name) co_return endpoint_name.error();
    const auto word = root["for"].string();
    if (!word) co_return word.error();
    const auto known = clients::clients_from(*word);
    if (known.empty())
        co_return root["for"].problem("expected one of " + clients::known_clients(ra::Protocol::scep) + ", " + clients::known_clients(ra::Protocol::acme) + ", " +
                                      clients::known_clients(ra::Protocol::est));
    auto user = read_user(root["user"]);
    if (!user) co_return user.error();
    const auto catalog = call.deps.catalog.current();
    const auto chosen = choose(*catalog, call.principal, *endpoint_name, known);
    if (!chosen) co_return chosen.error();
    const auto& endpoint = *chosen->endpoint;
    auto name = endpoint.protocol == ra::Protocol::acme ? read_host(root["name"]) : read_name(root["name"]);
    if (!name) co_return name.error();
    auto challenge = read_challenge(root["challenge"], catalog->intune_account(endpoint.id) != nullptr);
    if (!challenge) co_return challenge.error();
    const auto* profile = endpoint.profiles.empty() ? nullptr : catalog->profile(endpoint.tenant, endpoint.profiles.front());
    if (!profile) co_return core::Problem(core::ProblemKind::conflict, "endpoint " + endpoint.name + " has no profile");
    if (!user->empty() && endpoint.protocol != ra::Protocol::est) co_return root["user"].problem("only clients of EST endpoints have one");
    const auto told = co_await call.deps.operations.client_facts(endpoint.id);
    if (endpoint.protocol == ra::Protocol::scep && told.ra.empty())
        co_return core::Problem(core::ProblemKind::unavailable, "endpoint " + endpoint.name + " has no certificate yet that clients encrypt to; the log says why (ra_certificate_…)");

    clients::Facts facts;
    facts.endpoint = endpoint.name;
    facts.https = told.https;
    facts.http = told.http;
    facts.est_base = told.est;
    for (const auto& der : told.chain) facts.chain.push_back(crypto::Certificate::parse(der).value());
    for (const auto& der : clients::other_roots(call.deps.backends, told.chain.back())) facts.other_roots.push_back(crypto::Certificate::parse(der).value());
    facts.ra = told.ra;
    facts.profile = *profile;
    facts.scep = endpoint.scep;
    facts.est = endpoint.est;
    facts.account_required = endpoint.account_required;
    facts.name = !name->empty() ? std::move(*name) : placeholder_name(endpoint, *profile);
    facts.user = std::move(*user);
    facts.challenge = std::move(*challenge);
    auto made = clients::configure(chosen->client, facts);
    if (!made) co_return made.error();

    for (auto& file : made->files) {
        if (!file.sign) continue;
        auto content = std::move(file.content);
        auto signed_one = co_await call.deps.operations.sign_for_clients(std::move(content));
        if (!signed_one) co_return signed_one.error();
        file.content = std::move(*signed_one);
    }
    json::Writer w;
    w.begin_object().member("endpoint", facts.endpoint).member("for", *word).member("text", made->text).key("values").begin_object();
    for (const auto& [key, value] : made->values) w.member(key, value);
    w.end_object().key("files").begin_array();
    for (const auto& file : made->files) w.begin_object().member("name", file.name).member("what", file.what).member("content", core::base64(file.content)).end_object();
    w.end_array().end_object();
    co_return json_response(200, w.take());
}

}  // namespace postern::api
