#include "ra/bodies.hpp"

#include <algorithm>

#include "ca/lint.hpp"
#include "core/json/reader.hpp"
#include "ra/extended_key_usage.hpp"
#include "ra/scope_entries.hpp"

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

/// "none" or "officer"; anything else is told as wrong, with `more` beside them.
std::optional<Approval> read_approval(Body& body, std::string_view text, std::string_view more) {
    for (const auto a : {Approval::none, Approval::officer})
        if (to_string(a) == text) return a;
    body.fail("approval", "known here: none, officer" + std::string(more));
    return std::nullopt;
}

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
    body.flag("principal_names", o.principal_names);
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

namespace {

/// One of the words; the key's first is the default.
std::size_t word(Body& body, std::string_view key, std::initializer_list<std::string_view> known) {
    std::string text(*known.begin());
    body.text(key, text, 16);
    std::string all;
    for (const auto* k = known.begin(); k != known.end(); ++k) {
        if (*k == text) return static_cast<std::size_t>(k - known.begin());
        all += (all.empty() ? "" : ", ") + std::string(*k);
    }
    body.fail(key, "known here: " + all);
    return 0;
}

/// What people and devices are called beside DNS names and addresses; none of it is a TLS server's.
void read_identities(Body& body, Profile& p) {
    body.flag("email_names", p.email_names);
    body.flag("uri_names", p.uri_names);
    body.flag("upn_names", p.upn_names);
    p.drop_other_names = word(body, "other_names", {"refuse", "drop"}) == 1;
    p.refuse_sid_extension = word(body, "sid_extension", {"drop", "refuse"}) == 1;
    p.strong_mapping = static_cast<StrongMapping>(word(body, "strong_mapping", {"none", "uri", "extension"}));
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
    body.flag("must_staple", p.must_staple);
    body.number("names_limit", p.names_limit, 1, 1000);
    std::string common_name = "name";
    body.text("common_name", common_name, 16);
    if (common_name != "name" && common_name != "text") body.fail("common_name", "known here: name, text");
    p.text_common_name = common_name == "text";
    std::string approval = "none";
    body.text("approval", approval, 16);
    p.approval = read_approval(body, approval, "").value_or(Approval::officer);
    body.duration("approval_limit", p.approval_limit);
    if (p.approval_limit < std::chrono::minutes(1) || p.approval_limit > std::chrono::hours(24 * 366)) body.fail("approval_limit", "expected 1m to 366d");
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
    only_of(body, own, {"credential", "default_hosts", "binary_bodies"}, "est");
    if (!own) return;
    if (std::find(est_operations.begin(), est_operations.end(), e.name) != est_operations.end()) body.fail("name", "is the name of an operation of EST");
    auto& s = e.est;
    s.credential = static_cast<EstSettings::Credential>(word(body, "credential", {"either", "certificate", "password", "both"}));
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

namespace {

/// A key of another method would be one that does nothing.
void only_of_method(Body& body, const Account& account, AccountMethod own, std::initializer_list<std::string_view> keys) {
    if (account.method == own) return;
    for (const auto key : keys)
        if (body.root()[key].exists()) body.fail(key, "is for accounts of method " + std::string(to_string(own)));
}

void read_intune(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::intune, {"azure_account", "kind", "deliver_first", "renewal_by_certificate", "answer_within"});
    if (a.method != AccountMethod::intune) return;
    auto& s = a.intune;
    body.text("azure_account", s.azure_account, 100);
    if (s.azure_account.empty()) body.fail("azure_account", "is missing: the name of the azure_account by which Intune is asked");
    std::string kind;
    body.text("kind", kind, 16);
    if (kind != "client" && kind != "device") body.fail("kind", "known here: client (certificates of persons), device");
    s.kind = kind == "client" ? IntuneSettings::Kind::client : IntuneSettings::Kind::device;
    body.flag("deliver_first", s.deliver_first);
    body.flag("renewal_by_certificate", s.renewal_by_certificate);
    body.duration("answer_within", s.answer_within);
    // Devices wait for some 30 seconds.
    if (s.answer_within < std::chrono::seconds(1) || s.answer_within > std::chrono::seconds(25)) body.fail("answer_within", "expected 1s to 25s");
}

/// RFC 7617 §2: the first colon ends the user name.
void read_basic(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::basic, {"user"});
    a.user = a.name;
    body.text("user", a.user, 100);
    const auto sent_alike = [](char c) { return c >= ' ' && c < 0x7f && c != ':'; };
    if (!std::all_of(a.user.begin(), a.user.end(), sent_alike)) body.fail("user", "expected printable ASCII without a colon");
}

void read_one_time(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::one_time, {"unbound", "challenge_lifetime", "longest_challenge_lifetime", "outstanding"});
    auto& s = a.one_time;
    body.flag("unbound", s.unbound);
    body.duration("challenge_lifetime", s.lifetime);
    body.duration("longest_challenge_lifetime", s.longest);
    body.number("outstanding", s.outstanding, 1, 100'000);
    if (s.longest > std::chrono::hours(24 * 30)) body.fail("longest_challenge_lifetime", "longer than 30 days");
    if (s.lifetime > s.longest) body.fail("challenge_lifetime", "longer than longest_challenge_lifetime");
    if (!s.unbound && body.root()["outstanding"].exists()) body.fail("outstanding", "counts unbound challenges, and this account has unbound = false");
}

void read_webhook(Body& body, Account& a) {
    only_of_method(body, a, AccountMethod::webhook, {"url", "webhook_id", "timeout", "trust_anchors"});
    if (a.method != AccountMethod::webhook) return;
    auto& s = a.webhook;
    body.text("url", s.url, 2048);
    const auto visible = [](std::string_view text) { return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; }); };
    if (!s.url.starts_with("https://") || s.url.size() < 9 || !visible(s.url) || s.url.find_first_of("@#") != s.url.npos)
        body.fail("url", "expected a URL such as \"https://mdm.example.com/scep\", without user and fragment");
    s.id = a.name;
    body.text("webhook_id", s.id, 128);
    if (s.id.empty() || !visible(s.id)) body.fail("webhook_id", "expected visible ASCII characters");
    body.duration("timeout", s.timeout);
    if (s.timeout > std::chrono::seconds(20)) body.fail("timeout", "longer than 20 s: the device would not wait");
    body.text("trust_anchors", s.trust_anchors, 64 * 1024);
    if (!s.trust_anchors.empty() && s.trust_anchors.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
        body.fail("trust_anchors", "expected certificates, PEM");
}

}  // namespace

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
    for (const auto m : {AccountMethod::open, AccountMethod::eab, AccountMethod::system, AccountMethod::access_code, AccountMethod::one_time, AccountMethod::webhook,
                         AccountMethod::intune, AccountMethod::basic})
        if (method && to_string(m) == *method) a.method = m, known = true;
    if (!known) return Problem(core::ProblemKind::malformed, "$.method: known here: access_code, basic, eab, intune, one_time, open, webhook");
    if (const auto* id = std::get_if<std::string>(&row.keys.at(4))) a.public_id = *id;
    if (const auto* sealed = std::get_if<core::Bytes>(&row.keys.at(5))) a.secret_sealed = *sealed;
    Body body(row);
    body.not_empty("profiles");
    body.list("profiles", [&](std::string_view text) -> std::string {
        a.profiles.emplace_back(text);
        return {};
    });
    body.list("names", [&](std::string_view text) { return read_host_entry(text, a.scope); });
    body.flag("wildcard", a.scope.wildcard);
    body.list("emails", [&](std::string_view text) { return read_email_entry(text, a.scope); });
    body.list("uris", [&](std::string_view text) { return read_uri_entry(text, a.scope); });
    body.list("upns", [&](std::string_view text) { return read_upn_entry(text, a.scope); });
    const auto patterns = [&](std::string_view key, std::vector<std::string>& into) {
        body.list(key, [&](std::string_view text) -> std::string {
            if (text.empty() || text.size() > 256) return "expected 1 to 256 octets";
            into.emplace_back(text);
            return {};
        });
    };
    patterns("common_names", a.common_names);
    patterns("serial_numbers", a.serial_numbers);
    // An order of ACME names hosts alone: these would do nothing.
    if (a.method == AccountMethod::eab)
        for (const auto* key : {"emails", "uris", "upns", "serial_numbers"})
            if (body.root()[key].exists()) body.fail(key, "is for accounts of SCEP endpoints");
    std::string approval = "inherit";
    body.text("approval", approval, 16);
    if (approval != "inherit") a.approval = read_approval(body, approval, ", inherit");
    read_intune(body, a);
    std::string expires;
    body.text("expires", expires, 40);
    if (!expires.empty()) {
        a.expires = core::from_rfc3339(expires);
        if (!a.expires) body.fail("expires", "expected a time such as \"2027-01-31T00:00:00Z\"");
    }
    read_one_time(body, a);
    read_webhook(body, a);
    read_basic(body, a);
    if (body.failure()) return *body.failure();
    return a;
}

}  // namespace postern::ra
