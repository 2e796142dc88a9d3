#include "ra/bodies.hpp"

#include <algorithm>

#include "ca/lint.hpp"
#include "core/json/reader.hpp"
#include "ra/extended_key_usage.hpp"

namespace postern::ra {

namespace {

using core::Problem;
using core::Result;

/// Reads optional members of one body and keeps the first thing that is wrong.
class Body {
public:
    explicit Body(const store::ObjectRow& row) : document_(parse(row.body)) {}

    void text(std::string_view key, std::string& into, std::size_t longest) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.string();
        if (!got) return fail(got.error());
        if (got->size() > longest) return fail(value.problem("longer than " + std::to_string(longest) + " octets"));
        into = *got;
    }
    void flag(std::string_view key, bool& into) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.boolean();
        if (!got) return fail(got.error());
        into = *got;
    }
    void duration(std::string_view key, std::chrono::milliseconds& into) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.string();
        if (!got) return fail(got.error());
        const auto parsed = core::parse_duration(*got);
        if (!parsed) return fail(value.problem("expected a duration such as \"90d\" or \"12h\""));
        into = *parsed;
    }
    void number(std::string_view key, unsigned& into, unsigned least, unsigned most) {
        const auto value = root()[key];
        if (!value.exists()) return;
        const auto got = value.integer();
        if (!got) return fail(got.error());
        if (*got < least || *got > most)
            return fail(value.problem("expected " + std::to_string(least) + " to " + std::to_string(most)));
        into = static_cast<unsigned>(*got);
    }
    /// `each` gets an element and gives what is wrong with it, or nothing.
    template <class Each>
    void list(std::string_view key, Each each) {
        const auto value = root()[key];
        if (!value.exists()) return;
        if (!value.is_array()) return fail(value.problem("expected a list"));
        for (const auto& item : value.items()) {
            const auto got = item.string();
            if (!got) return fail(got.error());
            if (const std::string wrong = each(*got); !wrong.empty()) return fail(item.problem(wrong));
        }
    }
    /// Where leaving a key out means "all", an empty list would open what somebody meant to close.
    void not_empty(std::string_view key) {
        if (const auto value = root()[key]; value.is_array() && value.items().empty()) fail(value.problem("is empty; leave the key out, or name something"));
    }
    void fail(const Problem& problem) {
        if (!failure_) failure_ = problem;
    }
    void fail(std::string_view key, std::string_view what) { fail(root()[key].exists() ? root()[key].problem(what) : Problem(core::ProblemKind::malformed, "$." + std::string(key) + ": " + std::string(what))); }
    [[nodiscard]] json::Value root() const { return document_ ? document_->root() : json::Value(); }
    [[nodiscard]] const std::optional<Problem>& failure() const { return failure_; }

private:
    Result<json::Document> parse(const std::string& text) {
        auto document = json::Document::parse(text);
        if (!document) failure_ = document.error();
        return document;
    }
    std::optional<Problem> failure_;
    Result<json::Document> document_;
};

bool active(const store::ObjectRow& row) { return row.status == "active"; }

template <class Id>
std::optional<Id> key_id(const store::ObjectRow& row, std::size_t i) {
    const auto* n = std::get_if<std::int64_t>(&row.keys.at(i));
    return n ? std::optional<Id>(Id(*n)) : std::nullopt;
}

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

/// "example.com", ".example.com", "*" or an address, as design §7 writes scopes.
std::string read_scope_entry(std::string_view text, NameScope& scope) {
    if (text == "*") {
        scope.names.emplace_back(text);
        return {};
    }
    if (const auto ip = crypto::canonical_ip(text); !ip.empty()) {
        scope.names.push_back(ip);
        return {};
    }
    if (text.starts_with("*.")) return "write \"." + std::string(text.substr(2)) + "\" for the names below it, with wildcard = true";
    const bool below = text.starts_with('.');
    NameRules rules;
    rules.wildcard = false;
    rules.single_label = true;
    const auto name = normalize_dns(below ? text.substr(1) : text, rules);
    if (!name) return name.error().detail;
    scope.names.push_back(below ? "." + *name : *name);
    return {};
}

}  // namespace

Result<Tenant> read_tenant(const store::ObjectRow& row) {
    Tenant t;
    t.id = core::TenantId(row.id);
    t.name = row.name;
    t.active = active(row);
    t.version = row.version;
    return t;
}

Result<Organization> read_organization(const store::ObjectRow& row) {
    Organization o;
    o.id = core::OrganizationId(row.id);
    o.tenant = core::TenantId(row.tenant_id);
    o.name = row.name;
    o.active = active(row);
    o.legal_name = row.name;
    Body body(row);
    // What stands in subjects obeys the lints' rules here already, or every finalize would be refused.
    using Attribute = crypto::DnAttribute;
    const auto subject = [&](std::string_view key, std::string& into, Attribute attribute) {
        body.text(key, into, 512);
        if (!body.root()[key].exists()) return;
        if (const auto why = ca::why_no_subject_value(crypto::DnEntry(attribute, into)); !why.empty()) body.fail(key, why);
    };
    subject("legal_name", o.legal_name, Attribute::organization);
    subject("country", o.country, Attribute::country);
    subject("state", o.state, Attribute::state);
    subject("locality", o.locality, Attribute::locality);
    if (body.failure()) return *body.failure();
    return o;
}

Result<Department> read_department(const store::ObjectRow& row) {
    Department d;
    d.id = core::DepartmentId(row.id);
    d.tenant = core::TenantId(row.tenant_id);
    d.name = row.name;
    d.active = active(row);
    if (const auto id = key_id<core::OrganizationId>(row, 0)) d.organization = *id;
    return d;
}

Result<Domain> read_domain(const store::ObjectRow& row) {
    Domain d;
    d.tenant = core::TenantId(row.tenant_id);
    d.active = active(row);
    d.organization = key_id<core::OrganizationId>(row, 0);
    NameRules rules;
    rules.wildcard = false;
    rules.single_label = true;
    auto name = normalize_dns(row.name, rules);
    if (!name) return name.error();
    d.name = std::move(*name);
    return d;
}

Result<ca::BackendDescription> read_backend(const store::ObjectRow& row) {
    ca::BackendDescription d;
    d.name = row.name;
    d.active = active(row);
    Body body(row);
    std::string kind, description;
    body.text("kind", kind, 64);
    if (kind != "command") body.fail("kind", "known here: command");
    body.text("description", description, 1024);
    const auto plain = [](std::string_view text, std::size_t longest) {
        return !text.empty() && text.size() <= longest && text.find('\0') == std::string_view::npos;
    };
    body.list("argv", [&](std::string_view text) -> std::string {
        if (!plain(text, 4096)) return "expected 1 to 4096 octets without NUL";
        d.argv.emplace_back(text);
        return {};
    });
    if (d.argv.empty() || d.argv.size() > 64 || !d.argv.front().starts_with('/')) body.fail("argv", "expected the absolute path of a program and its arguments, no shell line");
    body.list("environment", [&](std::string_view text) -> std::string {
        const auto name = text.substr(0, text.find('='));
        const auto good = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
        if (name.empty() || name.size() == text.size() || !plain(text, 4096) || !std::all_of(name.begin(), name.end(), good)) return "expected NAME=value";
        d.environment.emplace_back(text);
        return {};
    });
    body.text("directory", d.directory, 4096);
    if (!d.directory.starts_with('/') || d.directory.find('\0') != std::string::npos) body.fail("directory", "expected an absolute path");
    body.text("trust_anchors", d.trust_anchors, std::size_t{256} * 1024);
    body.list("operations", [&](std::string_view text) -> std::string {
        constexpr std::array known{"poll", "lookup", "revoke", "test"};
        if (std::find(known.begin(), known.end(), text) == known.end()) return "known here: poll, lookup, revoke, test";
        d.operations.emplace_back(text);
        return {};
    });
    const auto within = [&](std::string_view key, std::chrono::milliseconds& into, std::chrono::milliseconds least, std::chrono::milliseconds most) {
        body.duration(key, into);
        if (into < least || into > most) body.fail(key, "expected " + core::format_duration(least) + " to " + core::format_duration(most));
    };
    using std::chrono::hours, std::chrono::seconds, std::chrono::minutes;
    // Together with the wait for its turn it stays below what the store's records take for the age of a lost node.
    within("timeout", d.timeout, seconds(1), minutes(2));
    within("pending_limit", d.pending_limit, minutes(1), hours(24 * 366));
    within("longest_lifetime", d.longest_lifetime, minutes(1), hours(24 * 3660));
    within("earlier", d.earlier, seconds(1), hours(24 * 30));
    if (body.root()["later"].exists()) within("later", d.later, seconds(1), hours(24 * 30));
    body.number("output_limit", d.output_limit, 1024, 1024 * 1024);
    body.number("at_once", d.at_once, 1, 64);
    body.number("queue", d.queue, 0, 1024);
    body.number("serial_octets", d.serial_octets, 1, 20);
    body.flag("publicly_trusted", d.publicly_trusted);
    if (body.failure()) return *body.failure();
    return d;
}

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
        constexpr std::array known{"CN", "O", "OU", "L", "ST", "C"};
        if (std::find(known.begin(), known.end(), text) == known.end()) return "known here: CN, O, OU, L, ST, C";
        p.subject.emplace_back(text);
        return {};
    });
    if (!body.root()["subject"].exists()) p.subject.emplace_back("CN");
    body.flag("ip_names", p.ip_names);
    body.flag("private_targets", p.private_targets);
    body.flag("must_staple", p.must_staple);
    body.number("names_limit", p.names_limit, 1, 1000);
    std::string common_name = "name";
    body.text("common_name", common_name, 16);
    if (common_name != "name" && common_name != "text") body.fail("common_name", "known here: name, text");
    p.text_common_name = common_name == "text";
    if (p.text_common_name && p.tls_server()) body.fail("common_name", "of a TLS server's certificate is one of its names");
    if (body.failure()) return *body.failure();
    return p;
}

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
    only_of(body, e.protocol == Protocol::scep, {"chain", "reply_with_issuer", "legacy_algorithms", "get_operation", "renewal", "renewal_window", "get_crl", "ra", "ra_profile"}, "scep");
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
    body.flag("get_crl", s.get_crl);
    read_ra(body, e);
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
    if (!known) return Problem(core::ProblemKind::malformed, "$.protocol: known here: acme, scep");
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
    if (body.failure()) return *body.failure();
    return e;
}

Result<Account> read_account(const store::ObjectRow& row) {
    Account a;
    a.id = core::AccountId(row.id);
    a.tenant = core::TenantId(row.tenant_id);
    a.name = row.name;
    a.active = active(row);
    a.version = row.version;
    if (const auto id = key_id<core::EndpointId>(row, 0)) a.endpoint = *id;
    a.organization = key_id<core::OrganizationId>(row, 1);
    a.department = key_id<core::DepartmentId>(row, 2);
    const auto* method = std::get_if<std::string>(&row.keys.at(3));
    bool known = false;
    for (const auto m : {AccountMethod::open, AccountMethod::eab, AccountMethod::system, AccountMethod::access_code})
        if (method && to_string(m) == *method) a.method = m, known = true;
    if (!known) return Problem(core::ProblemKind::malformed, "$.method: known here: access_code, eab, open");
    if (const auto* id = std::get_if<std::string>(&row.keys.at(4))) a.public_id = *id;
    if (const auto* sealed = std::get_if<core::Bytes>(&row.keys.at(5))) a.secret_sealed = *sealed;
    Body body(row);
    body.not_empty("profiles");
    body.list("profiles", [&](std::string_view text) -> std::string {
        a.profiles.emplace_back(text);
        return {};
    });
    body.list("names", [&](std::string_view text) { return read_scope_entry(text, a.scope); });
    body.flag("wildcard", a.scope.wildcard);
    body.list("common_names", [&](std::string_view text) -> std::string {
        if (text.empty() || text.size() > 256) return "expected 1 to 256 octets";
        a.common_names.emplace_back(text);
        return {};
    });
    std::string expires;
    body.text("expires", expires, 40);
    if (!expires.empty()) {
        a.expires = core::from_rfc3339(expires);
        if (!a.expires) body.fail("expires", "expected a time such as \"2027-01-31T00:00:00Z\"");
    }
    if (body.failure()) return *body.failure();
    return a;
}

}  // namespace postern::ra
