#include <algorithm>

#include "ra/bodies.hpp"
#include "ra/body.hpp"
#include "ra/challenge_methods.hpp"
#include "ra/extended_key_usage.hpp"

namespace postern::ra {

using core::Result;

namespace {

constexpr std::chrono::milliseconds shortest_use{std::chrono::minutes(1)};

std::optional<crypto::KeyUsageBit> key_usage_from(std::string_view text) {
    using Bit = crypto::KeyUsageBit;
    constexpr std::array<std::pair<std::string_view, Bit>, 5> known{{{"digitalSignature", Bit::digital_signature},
                                                                     {"contentCommitment", Bit::content_commitment},
                                                                     {"keyEncipherment", Bit::key_encipherment},
                                                                     {"dataEncipherment", Bit::data_encipherment},
                                                                     {"keyAgreement", Bit::key_agreement}}};
    for (const auto& [name, bit] : known)
        if (name == text) return bit;
    return std::nullopt;
}

/// How ACME clients prove names, and whether the owners' CAA records are asked.
void read_validation(Body& body, Profile& p) {
    body.not_empty("challenges");
    if (body.root()["challenges"].exists()) p.challenges.clear();
    body.list("challenges", [&](std::string_view text) -> std::string {
        if (std::find(challenge_methods.begin(), challenge_methods.end(), text) == challenge_methods.end()) return "known here: " + methods_text();
        if (std::find(p.challenges.begin(), p.challenges.end(), text) == p.challenges.end()) p.challenges.emplace_back(text);
        return {};
    });
    p.caa = body.word("caa", {"off", "enforce"}) == 1;
    body.list("caa_identities", [&](std::string_view text) -> std::string {
        NameRules rules;
        rules.wildcard = false;
        auto name = normalize_dns(text, rules);
        if (!name) return name.error().detail;
        p.caa_identities.push_back(std::move(*name));
        return {};
    });
    if (p.caa && p.caa_identities.empty()) body.fail("caa_identities", "is needed with caa = \"enforce\": what CAA records call this CA, such as \"ca.example.com\"");
}

/// What people and devices are called beside DNS names and addresses; none of it is a TLS server's.
void read_identities(Body& body, Profile& p) {
    body.flag("email_names", p.email_names);
    body.flag("uri_names", p.uri_names);
    body.flag("upn_names", p.upn_names);
    p.drop_other_names = body.word("other_names", {"refuse", "drop"}) == 1;
    p.refuse_sid_extension = body.word("sid_extension", {"drop", "refuse"}) == 1;
    p.strong_mapping = static_cast<StrongMapping>(body.word("strong_mapping", {"none", "uri", "extension"}));
    if (!p.tls_server()) return;
    const auto takes = [&](std::string_view what) { return std::find(p.subject.begin(), p.subject.end(), what) != p.subject.end(); };
    for (const auto& [key, set] : {std::pair("email_names", p.email_names), std::pair("uri_names", p.uri_names), std::pair("upn_names", p.upn_names),
                                   std::pair("strong_mapping", p.strong_mapping != StrongMapping::none)})
        if (set) body.fail(key, "a TLS server's certificate names DNS names and addresses only");
    if (takes("E") || takes("serialNumber")) body.fail("subject", "a TLS server's certificate has neither E nor serialNumber");
}

}  // namespace

Result<Profile> read_profile(const store::ObjectRow& row) {
    Profile p;
    p.id = core::ProfileId(row.id);
    p.tenant = core::TenantId(row.tenant_id);
    p.name = row.name;
    p.version = row.version;
    p.active = active(row);
    Body body(row);
    body.text("description", p.description, 1024);
    body.text("backend", p.backend, 64);
    body.list("parameters", [&](std::string_view text) -> std::string {
        const auto equals = text.find('=');
        if (equals == 0 || equals == std::string_view::npos || text.size() > 1024) return "expected \"name=value\"";
        const std::string name(text.substr(0, equals));
        for (const auto& [n, v] : p.parameters)
            if (n == name) return name + " is given twice";
        p.parameters.emplace_back(name, text.substr(equals + 1));
        return {};
    });
    if (!p.parameters.empty() && p.backend == "builtin") body.fail("parameters", "are for a backend that a document describes; the built-in CA takes none");
    body.duration("lifetime", p.lifetime);
    p.longest = p.lifetime;
    body.duration("longest_lifetime", p.longest);
    body.duration("backdate", p.backdate);
    if (p.lifetime > p.longest) body.fail("longest_lifetime", "shorter than the lifetime");
    if (p.longest > std::chrono::hours(24 * 3660)) body.fail("longest_lifetime", "longer than ten years");
    if (p.backdate > std::chrono::hours(24)) body.fail("backdate", "more than 24 hours");
    // A certificate begins a backdate ago: a shorter term would be over, or nearly, when it is made.
    if (p.lifetime < p.backdate + shortest_use)
        body.fail("lifetime", "must be at least " + core::format_duration(shortest_use) + " longer than the backdate of " + core::format_duration(p.backdate));
    for (const auto* key : {"keys", "key_usage"}) body.not_empty(key);
    body.list("keys", [&](std::string_view text) -> std::string {
        const auto spec = crypto::KeySpec::from(text);
        if (!spec) return "no key type; known: ec-p256, ec-p384, ec-p521, ed25519, rsa-2048, rsa-3072, rsa-4096";
        p.keys.push_back(*spec);
        return {};
    });
    if (p.keys.empty())
        for (const auto* text : {"ec-p256", "ec-p384", "ec-p521", "rsa-2048"}) p.keys.push_back(*crypto::KeySpec::from(text));
    body.list("key_usage", [&](std::string_view text) -> std::string {
        const auto bit = key_usage_from(text);
        if (!bit) return "no key usage that a leaf may have";
        p.key_usage.push_back(*bit);
        return {};
    });
    body.list("extended_key_usage", [&](std::string_view text) -> std::string {
        for (const auto& known : extended_key_usages) {
            if (known.name != text && known.oid != text) continue;
            p.extended_key_usage.emplace_back(known.oid);
            return {};
        }
        return "no extended key usage that a profile may give";
    });
    if (!body.root()["extended_key_usage"].exists()) p.extended_key_usage.emplace_back(server_auth_oid);
    if (p.extended_key_usage.empty()) body.fail("extended_key_usage", "must not be empty");
    body.list("subject", [&](std::string_view text) -> std::string {
        constexpr std::array known{"CN", "O", "OU", "L", "ST", "C", "E", "serialNumber"};
        if (std::find(known.begin(), known.end(), text) == known.end()) return "known here: CN, O, OU, L, ST, C, E, serialNumber";
        p.subject.emplace_back(text);
        return {};
    });
    if (!body.root()["subject"].exists()) p.subject.emplace_back("CN");
    body.flag("ip_names", p.ip_names);
    read_identities(body, p);
    body.flag("private_targets", p.private_targets);
    read_validation(body, p);
    body.flag("must_staple", p.must_staple);
    body.number("names_limit", p.names_limit, 1, 1000);
    p.challenge_password = static_cast<ChallengePassword>(body.word("challenge_password", {"binding", "shared-secret", "ignore"}));
    body.flag("require_binding", p.require_binding);
    std::string common_name = "name";
    body.text("common_name", common_name, 16);
    if (common_name != "name" && common_name != "text") body.fail("common_name", "known here: name, text");
    p.text_common_name = common_name == "text";
    std::string approval = "none";
    body.text("approval", approval, 16);
    p.approval = read_approval(body, approval, "").value_or(Approval::officer);
    body.duration("approval_limit", p.approval_limit);
    if (p.approval_limit < std::chrono::minutes(1) || p.approval_limit > std::chrono::hours(24 * 366)) body.fail("approval_limit", "expected 1m to 366d");
    p.refuse_key_reuse = body.word("key_reuse", {"allow", "refuse"}) == 1;
    body.duration("renew_after_expiry", p.renew_after_expiry);
    if (p.renew_after_expiry > std::chrono::hours(24 * 3660)) body.fail("renew_after_expiry", "longer than ten years");
    if (p.text_common_name && p.tls_server()) body.fail("common_name", "of a TLS server's certificate is one of its names");
    if (body.failure()) return *body.failure();
    return p;
}

}  // namespace postern::ra
