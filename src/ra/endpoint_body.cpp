#include <algorithm>

#include "ra/bodies.hpp"
#include "ra/body.hpp"

namespace postern::ra {

using core::Problem;
using core::Result;

namespace {

/// A key of another protocol would be one that does nothing.
void only_of(Body& body, bool own, std::initializer_list<std::string_view> keys, std::string_view protocol) {
    if (own) return;
    for (const auto key : keys)
        if (body.root()[key].exists()) body.fail(key, "is for endpoints of protocol " + std::string(protocol));
}

void read_ra(Body& body, Endpoint& e) {
    auto& s = e.scep;
    std::string ra;
    body.text("ra", ra, 16);
    body.text("ra_profile", s.ra_profile, 64);
    const bool named = body.root()["ra_profile"].exists();
    if (ra == "builtin") s.ra = ScepSettings::Ra::builtin;
    else if (ra == "imported") s.ra = ScepSettings::Ra::imported;
    else if (body.root()["ra"].exists()) body.fail("ra", "known here: builtin, imported; or leave it out and name an ra_profile");
    if (!named) return;
    if (s.ra != ScepSettings::Ra::by_backend) body.fail("ra_profile", "goes without ra: the certificate comes from one of the two");
    s.ra = ScepSettings::Ra::profile;
    // Else a device could enroll for what other devices encrypt to.
    if (std::find(e.profiles.begin(), e.profiles.end(), s.ra_profile) != e.profiles.end()) body.fail("ra_profile", "is one that devices enroll by; make one of its own");
}

void read_scep(Body& body, Endpoint& e) {
    only_of(body, e.protocol == Protocol::scep, {"chain", "reply_with_issuer", "legacy_algorithms", "get_operation", "officer_messages", "get_crl", "ra", "ra_profile"}, "scep");
    only_of(body, e.protocol == Protocol::scep || e.protocol == Protocol::est, {"renewal", "renewal_window"}, "scep or est");
    only_of(body, e.protocol == Protocol::acme, {"external_account_required", "terms_of_service", "website"}, "acme");
    auto& s = e.scep;
    std::string chain = "chain-and-root";
    body.text("chain", chain, 16);
    if (chain == "chain") s.chain = ScepSettings::Chain::chain;
    else if (chain == "issuer") s.chain = ScepSettings::Chain::issuer;
    else if (chain != "chain-and-root") body.fail("chain", "known here: issuer, chain, chain-and-root");
    body.flag("reply_with_issuer", s.reply_with_issuer);
    body.flag("legacy_algorithms", s.legacy_algorithms);
    body.flag("get_operation", s.get_operation);
    body.flag("renewal", s.renewal);
    body.duration("renewal_window", s.renewal_window);
    body.flag("officer_messages", s.officer_messages);
    body.flag("get_crl", s.get_crl);
    read_ra(body, e);
}

/// A label that is an operation's name would hide that operation of the endpoint without a label (est.md §1.1).
constexpr std::array est_operations{"cacerts", "simpleenroll", "simplereenroll", "csrattrs", "serverkeygen", "fullcmc"};

void read_est(Body& body, Endpoint& e) {
    const bool own = e.protocol == Protocol::est;
    only_of(body, own, {"credential", "default_hosts", "binary_bodies", "server_keys", "server_keys_hourly"}, "est");
    if (!own) return;
    if (std::find(est_operations.begin(), est_operations.end(), e.name) != est_operations.end()) body.fail("name", "is the name of an operation of EST");
    auto& s = e.est;
    s.credential = static_cast<EstSettings::Credential>(body.word("credential", {"either", "certificate", "password", "both"}));
    body.list("default_hosts", [&](std::string_view text) -> std::string {
        NameRules rules;
        rules.wildcard = false;
        rules.single_label = true;
        const auto name = text == "*" ? Result<std::string>("*") : normalize_dns(text, rules);
        if (!name) return "expected a host name, or \"*\" for any";
        s.default_hosts.push_back(*name);
        return {};
    });
    body.flag("binary_bodies", s.binary_bodies);
    body.flag("server_keys", s.server_keys);
    body.number("server_keys_hourly", s.server_keys_hourly, 1, 100'000);
    if (!s.server_keys && body.root()["server_keys_hourly"].exists()) body.fail("server_keys_hourly", "is for endpoints with server_keys = true");
    body.flag("renewal", s.renewal);
    body.duration("renewal_window", s.renewal_window);
}

}  // namespace

Result<Endpoint> read_endpoint(const store::ObjectRow& row) {
    Endpoint e;
    e.id = core::EndpointId(row.id);
    e.tenant = core::TenantId(row.tenant_id);
    e.name = row.name;
    e.active = active(row);
    e.version = row.version;
    Body body(row);
    const auto* protocol = std::get_if<std::string>(&row.keys.at(0));
    const auto known = protocol ? protocol_from(*protocol) : std::nullopt;
    if (!known) return Problem(core::ProblemKind::malformed, "$.protocol: known here: acme, est, scep");
    e.protocol = *known;
    body.list("profiles", [&](std::string_view text) -> std::string {
        e.profiles.emplace_back(text);
        return {};
    });
    if (e.profiles.empty()) body.fail("profiles", "name at least one profile");
    body.flag("external_account_required", e.account_required);
    // Both stand in headers and in what clients print.
    const auto url = [&](std::string_view key, std::string& into) {
        body.text(key, into, 2048);
        const bool scheme = into.starts_with("https://") || into.starts_with("http://");
        const auto in_url = [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '"'; };
        if (!into.empty() && (!scheme || !std::all_of(into.begin(), into.end(), in_url))) body.fail(key, "expected a URL such as \"https://ca.example.com/terms\"");
    };
    url("terms_of_service", e.terms_of_service);
    url("website", e.website);
    read_scep(body, e);
    read_est(body, e);
    if (body.failure()) return *body.failure();
    return e;
}

}  // namespace postern::ra
