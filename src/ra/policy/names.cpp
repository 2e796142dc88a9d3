#include <algorithm>

#include "ca/text_rules.hpp"
#include "core/crypto/security_identifier.hpp"
#include "core/dns/international.hpp"
#include "core/dns/public_suffix.hpp"
#include "ra/challenge_methods.hpp"
#include "ra/grants.hpp"
#include "ra/policy/checks.hpp"

namespace postern::ra {

namespace {

using crypto::GeneralName;
using crypto::GeneralNameType;

std::string list_text(const std::vector<GeneralName>& names) {
    std::string out;
    for (const auto& n : names) out += (out.empty() ? "" : ", ") + crypto::to_text(n);
    return out;
}

/// At most 256 octets of it, whole characters of UTF-8.
std::string shortened(std::string text) {
    std::size_t end = std::min<std::size_t>(text.size(), 256);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    text.resize(end);
    return text;
}

bool holds(const std::vector<GeneralName>& list, const GeneralName& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

/// Refuses with one subproblem a name for which `why` gives a reason.
template <class Why>
Finding each_name(const std::vector<GeneralName>& names, Why why) {
    Finding out = Finding::pass(list_text(names));
    for (const auto& name : names) {
        const std::string reason = why(name);
        if (reason.empty()) continue;
        out.verdict = Verdict::refuse;
        out.kind = core::ProblemKind::rejected_identifier;
        if (!out.reason.empty()) out.reason += "; ";
        out.reason += crypto::to_text(name) + ": " + reason;
        out.subproblems.emplace_back(core::ProblemKind::rejected_identifier, reason, std::string(crypto::to_string(name.type)), name.value);
    }
    return out;
}

/// What the profile says of a kind of name that it does not certify.
std::string why_not_certified(const Profile& profile, const GeneralName& name) {
    if (takes(profile, name)) return {};
    switch (name.type) {
        case GeneralNameType::ip: return "the profile certifies no IP addresses";
        case GeneralNameType::email: return "the profile certifies no e-mail addresses";
        case GeneralNameType::uri: return "the profile certifies no URIs";
        case GeneralNameType::upn: return "the profile certifies no principal names";
        case GeneralNameType::dns:
        case GeneralNameType::other: break;
    }
    return "no profile certifies names of that type";
}

}  // namespace

bool takes(const Profile& profile, const GeneralName& name) { return profile.certifies(name.type) || maps_identity(profile, name); }

core::Result<GeneralName> normal_form(const Profile* profile, const NameRules& rules, const GeneralName& name) {
    const auto checked = [&](const std::string& why) -> core::Result<GeneralName> {
        if (why.empty()) return name;
        return core::Problem(core::ProblemKind::malformed, "\"" + shortened(crypto::to_text(name)) + "\" " + why);
    };
    if (name.type != GeneralNameType::dns && (profile == nullptr || !profile->certifies(name.type))) return name;
    switch (name.type) {
        case GeneralNameType::dns:
        case GeneralNameType::email: {
            auto normalized = name.type == GeneralNameType::dns ? normalize_dns(name.value, rules) : normalize_mailbox(name.value);
            if (!normalized) return normalized.error();
            return GeneralName(name.type, std::move(*normalized));
        }
        case GeneralNameType::uri: return checked(ca::text_rules::why_no_uri(name.value));
        case GeneralNameType::upn: return checked(ca::text_rules::why_no_principal_name(name.value));
        case GeneralNameType::ip:
        case GeneralNameType::other: break;
    }
    return name;
}

bool maps_identity(const Profile& profile, const GeneralName& name) {
    return profile.strong_mapping != StrongMapping::none && name.type == GeneralNameType::uri && crypto::security_identifier_in(name.value);
}

NameRules name_rules(const EnrollmentRequest& request) {
    NameRules rules;
    rules.single_label = request.via == Protocol::system;
    return rules;
}

void fill_names(PolicyInput& in) {
    if (in.request.agreed_names) {
        in.names = *in.request.agreed_names;
        return;
    }
    const auto add = [&](GeneralName name) {
        if (!holds(in.names, name)) in.names.push_back(std::move(name));
    };
    for (const auto& san : in.request.csr->alt_names()) {
        if (in.profile != nullptr && in.profile->drop_other_names && !takes(*in.profile, san)) continue;
        auto normalized = normal_form(in.profile, name_rules(in.request), san);
        if (!normalized) {
            in.names_problem = normalized.error();
            return;
        }
        add(std::move(*normalized));
    }
    if (in.profile != nullptr && in.profile->text_common_name) return;
    // A CN that is a name counts as one; one that is not (a person's, a device's) is no wish for a name.
    for (const auto& cn : in.request.csr->subject().values(crypto::DnAttribute::common_name)) {
        if (auto ip = crypto::canonical_ip(cn); !ip.empty())
            add(GeneralName(GeneralNameType::ip, std::move(ip)));
        else if (auto normalized = normalize_dns(cn, NameRules()))
            add(GeneralName(GeneralNameType::dns, std::move(*normalized)));
    }
}

namespace checks {

Finding names_well_formed(const PolicyInput& in) {
    if (in.names_problem) return Finding::refuse(in.names_problem->kind, "the CSR's names", in.names_problem->detail);
    const bool named_by_text = in.profile->text_common_name && in.request.csr && !in.request.csr->subject().values(crypto::DnAttribute::common_name).empty();
    if (in.names.empty() && named_by_text) return Finding::pass("a common name alone");
    if (in.names.empty()) return Finding::refuse(core::ProblemKind::bad_csr, "no names", "the request names nothing to certify");
    return Finding::pass(list_text(in.names));
}

/// RFC 8555 §7.4: the CSR asks for exactly the order's identifiers, in SAN and CN together.
Finding names_agreed(const PolicyInput& in) {
    if (!in.request.agreed_names) return Finding::pass("none were agreed on before");
    std::vector<GeneralName> wished;
    const auto refuse = [](std::string what, std::string why) {
        return Finding::refuse(core::ProblemKind::bad_csr, std::move(what), std::move(why));
    };
    for (const auto& san : in.request.csr->alt_names()) {
        GeneralName name = san;
        if (san.type == GeneralNameType::dns) {
            auto normalized = normalize_dns(san.value, name_rules(in.request));
            if (!normalized) return refuse(san.value, normalized.error().detail);
            name = GeneralName(GeneralNameType::dns, std::move(*normalized));
        }
        if (!holds(wished, name)) wished.push_back(std::move(name));
    }
    // A CN that is a name counts as one (certificates for it are asked for by CN-only requests).
    for (const auto& cn : in.request.csr->subject().values(crypto::DnAttribute::common_name)) {
        GeneralName name;
        if (const auto ip = crypto::canonical_ip(cn); !ip.empty()) {
            name = GeneralName(GeneralNameType::ip, ip);
        } else {
            auto normalized = normalize_dns(cn, name_rules(in.request));
            if (!normalized) return refuse("CN=" + cn, "the common name is none of the order's identifiers");
            name = GeneralName(GeneralNameType::dns, std::move(*normalized));
        }
        if (!holds(wished, name)) wished.push_back(std::move(name));
    }
    for (const auto& name : wished)
        if (!holds(*in.request.agreed_names, name))
            return refuse(list_text(wished), "the CSR asks for " + (name.type == GeneralNameType::other ? "a name of another type" : crypto::to_text(name)) +
                                                 ", which is not in the order");
    for (const auto& name : *in.request.agreed_names)
        if (!holds(wished, name)) return refuse(list_text(wished), "the CSR lacks " + name.value + ", which the order has");
    return Finding::pass(list_text(wished));
}

Finding names_counted(const Profile& profile, const std::vector<GeneralName>& names) {
    const auto what = std::to_string(names.size()) + " names";
    if (names.size() > profile.names_limit)
        return Finding::refuse(core::ProblemKind::malformed, what,
                               "the profile allows " + std::to_string(profile.names_limit) + " names a certificate");
    return Finding::pass(what);
}

Finding names_of_profile(const Profile& profile, const std::vector<GeneralName>& names) {
    return each_name(names, [&](const GeneralName& name) { return why_not_certified(profile, name); });
}

/// What a CSR names that the profile does not certify is refused, or left out where the profile says so; never passed over.
Finding alternative_name_types(const PolicyInput& in) {
    std::vector<GeneralName> left_out;
    for (const auto& san : in.request.csr->alt_names()) {
        const auto why = why_not_certified(*in.profile, san);
        if (why.empty()) continue;
        if (!in.profile->drop_other_names)
            return Finding::refuse(core::ProblemKind::bad_csr, san.type == GeneralNameType::other ? "a name of another type" : shortened(crypto::to_text(san)), why);
        left_out.push_back(san);
    }
    constexpr std::size_t most_told = 20;
    auto told = std::to_string(in.request.csr->alt_names().size()) + " alternative names";
    for (std::size_t i = 0; i < std::min(left_out.size(), most_told); ++i) told += (i == 0 ? ", left out: " : ", ") + shortened(crypto::to_text(left_out[i]));
    if (left_out.size() > most_told) told += " and " + std::to_string(left_out.size() - most_told) + " more";
    return Finding::pass(std::move(told));
}

Finding names_in_scope(const Profile& profile, const Account& account, const std::vector<GeneralName>& names) {
    return each_name(names, [&](const GeneralName& name) -> std::string {
        if (account.scope.covers(name) || maps_identity(profile, name)) return {};
        return "outside the scope of account " + account.name + ", which covers " + account.scope.to_text(name.type);
    });
}

/// Who may have names below a suffix is nobody's to be that suffix, nor all that is below it (V13).
Finding names_below_suffix(const Account& account, const std::vector<GeneralName>& names) {
    if (account.method == AccountMethod::system) return Finding::pass("the server's own names");
    return each_name(names, [&](const GeneralName& name) -> std::string {
        if (name.type != GeneralNameType::dns || account.scope.lists_dns(name.value)) return {};
        const bool wildcard = name.value.starts_with("*.");
        const auto bare = wildcard ? name.value.substr(2) : name.value;
        if (!dns::is_public_suffix(bare)) return {};
        return bare + " is a public suffix, below which names have many owners; only an account whose scope lists \"" +
               (wildcard ? "." + bare + "\" with wildcard = true" : bare + "\" itself") + " may ask for it";
    });
}

/// A name all in letters that look like ASCII ones is somebody else's name to every reader (V13).
/// Under a top-level name in the same letters it is read as what it is.
Finding names_recognizable(const Account& account, const std::vector<GeneralName>& names) {
    return each_name(names, [&](const GeneralName& name) -> std::string {
        if (name.type != GeneralNameType::dns || name.value.find("xn--") == std::string::npos || account.scope.lists_dns(name.value)) return {};
        std::string_view rest = name.value;
        if (rest.substr(rest.rfind('.') + 1).starts_with("xn--")) return {};
        while (!rest.empty()) {
            const auto label = rest.substr(0, rest.find('.'));
            if (dns::looks_like_ascii(label))
                return "the label " + std::string(label) + " is made of letters that look like ASCII ones; only an account whose scope lists \"" +
                       name.value + "\" itself may ask for it";
            rest.remove_prefix(std::min(label.size() + 1, rest.size()));
        }
        return {};
    });
}

std::string why_not_delegated(const Catalog& catalog, const Account& account, const GeneralName& name) {
    if (name.type != GeneralNameType::dns && name.type != GeneralNameType::email) return {};
    const auto* domain = catalog.governing_domain(account.tenant, name.value.substr(name.type == GeneralNameType::email ? name.value.find('@') + 1 : 0));
    if (!domain) return {};
    if (!domain->active) return "domain " + domain->name + " is suspended";
    if (domain->organization && domain->organization != account.organization) return "domain " + domain->name + " is delegated to another organization";
    return {};
}

Finding names_delegated(const Catalog& catalog, const Account& account, const std::vector<GeneralName>& names) {
    return each_name(names, [&](const GeneralName& name) { return why_not_delegated(catalog, account, name); });
}

/// What the tenant or the account answers for, instead of a challenge. Asked anew when a certificate is issued: a grant that was
/// taken back counts no more.
std::string granted(const PolicyInput& in, const GeneralName& name) {
    if (in.request.via != Protocol::acme || name.type != GeneralNameType::dns) return {};
    const auto* backend = in.backends.find(in.profile->backend);
    const bool publicly_trusted = backend == nullptr || backend->capabilities().publicly_trusted;
    return granted_by(in.catalog, *in.account, name.value, publicly_trusted, in.now);
}

/// A name that no challenge of the profile can prove is ordered in vain, unless it is granted.
Finding names_provable(const PolicyInput& in) {
    if (in.request.via != Protocol::acme) return Finding::pass("no challenge proves names here");
    return each_name(in.names, [&](const GeneralName& name) -> std::string {
        if (!methods_for(in.profile->challenges, name).empty() || !granted(in, name).empty()) return {};
        const bool wildcard = name.value.starts_with("*.");
        return std::string(wildcard ? "wildcards are proven by dns-01" : name.type == GeneralNameType::ip ? "addresses are proven by http-01 or tls-alpn-01"
                                                                                                         : "there is no way to prove it") +
               ", and the profile takes no such challenge";
    });
}

/// Each name needs a validation of its own that is still good, by a method that can prove it, or a grant.
Finding names_proven(const PolicyInput& in) {
    if (in.request.via == Protocol::system) return Finding::pass("the server's own names");
    // Who holds the account's credential was given its names with it.
    if (in.request.via == Protocol::scep || in.request.via == Protocol::est) return Finding::pass("within the account's scope");
    return each_name(in.names, [&](const GeneralName& name) -> std::string {
        if (!granted(in, name).empty()) return {};
        std::string why = "nobody proved control of it";
        for (const auto& e : in.request.evidence) {
            if (e.kind != Evidence::Kind::validated_name || e.identifier_type != crypto::to_string(name.type) || e.identifier != name.value) continue;
            if (e.until <= in.now) {
                why = "the validation by " + e.method + " expired at " + core::rfc3339(e.until);
            } else if (!can_prove(e.method, name)) {
                why = e.method + " cannot prove " + (name.type == GeneralNameType::ip ? "an address" : "a wildcard");
            } else if (std::find(in.profile->challenges.begin(), in.profile->challenges.end(), e.method) == in.profile->challenges.end()) {
                why = "it was proven by " + e.method + ", which the profile does not take any more";
            } else {
                return {};
            }
        }
        return why;
    });
}

}  // namespace checks

core::Result<void> check_names(const Catalog& catalog, const Account& account, const Profile& profile,
                               const std::vector<GeneralName>& names, Trace& trace) {
    if (auto r = record("names.count", checks::names_counted(profile, names), trace); !r) return r;
    if (auto r = record("names.profile", checks::names_of_profile(profile, names), trace); !r) return r;
    if (auto r = record("names.scope", checks::names_in_scope(profile, account, names), trace); !r) return r;
    if (auto r = record("names.suffix", checks::names_below_suffix(account, names), trace); !r) return r;
    if (auto r = record("names.homograph", checks::names_recognizable(account, names), trace); !r) return r;
    if (auto r = record("names.domain", checks::names_delegated(catalog, account, names), trace); !r) return r;
    return record("names.principal", checks::principal_names_allowed(catalog, account, names), trace);
}

}  // namespace postern::ra
