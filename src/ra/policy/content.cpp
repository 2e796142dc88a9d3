#include <algorithm>

#include "ca/lint.hpp"
#include "core/crypto/security_identifier.hpp"
#include "ra/policy/checks.hpp"

namespace postern::ra {

namespace {

constexpr std::size_t longest_common_name = 64;  // RFC 5280 ub-common-name

/// The certificate's CN: the CSR's when it is one of the names, else the first host that fits.
std::string common_name(const PolicyInput& in) {
    const auto is_host = [](const crypto::GeneralName& n) { return n.type == crypto::GeneralNameType::dns || n.type == crypto::GeneralNameType::ip; };
    const auto is_person = [](const crypto::GeneralName& n) { return n.type == crypto::GeneralNameType::email || n.type == crypto::GeneralNameType::upn; };
    const auto one_of = [&](std::string_view text, auto kind) {
        return text.size() <= longest_common_name && std::any_of(in.names.begin(), in.names.end(), [&](const auto& n) { return kind(n) && n.value == text; });
    };
    for (const auto& cn : in.request.csr->subject().values(crypto::DnAttribute::common_name)) {
        if (const auto normalized = normalize_dns(cn, name_rules(in.request)); normalized && one_of(*normalized, is_host)) return *normalized;
        if (const auto ip = crypto::canonical_ip(cn); !ip.empty() && one_of(ip, is_host)) return ip;
        if (one_of(cn, is_person)) return cn;
    }
    for (const auto& n : in.names)
        if (is_host(n) && n.value.size() <= longest_common_name) return n.value;
    return {};
}

}  // namespace

namespace checks {

bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0;
    std::size_t star = std::string_view::npos, taken = 0;  // the last "*", and where what it stands for ends
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// The one wish of a CSR that goes into a subject, and only within what the account was given.
Finding text_common_name(const Account& account, const std::vector<std::string>& names) {
    using core::ProblemKind;
    if (names.size() != 1)
        return Finding::refuse(ProblemKind::bad_csr, std::to_string(names.size()) + " common names", "the profile certifies one common name");
    const auto& name = names.front();
    if (const auto why = ca::why_no_subject_value(crypto::DnEntry(crypto::DnAttribute::common_name, name)); !why.empty())
        return Finding::refuse(ProblemKind::bad_csr, "CN=" + name, "the common name " + why);
    for (const auto& pattern : account.common_names)
        if (matches(pattern, name)) return Finding::pass("CN=" + name + " within " + pattern);
    return Finding::refuse(ProblemKind::rejected_identifier, "CN=" + name,
                           "the common name is none that account " + account.name + " may ask for (common_names)");
}

Finding subject_common_name(const PolicyInput& in) {
    const auto names = in.request.csr->subject().values(crypto::DnAttribute::common_name);
    if (in.profile->text_common_name) return text_common_name(*in.account, names);
    if (names.empty()) return Finding::pass("no common name");
    if (names.size() > 1 && in.profile->tls_server())
        return Finding::refuse(core::ProblemKind::bad_csr, std::to_string(names.size()) + " common names", "a TLS server certificate has one");
    if (names.front().size() > longest_common_name)
        return Finding::refuse(core::ProblemKind::bad_csr, "CN of " + std::to_string(names.front().size()) + " octets",
                               "a common name has at most 64");
    return Finding::pass("CN=" + names.front());
}

}  // namespace checks

/// Subject fields come from the profile's template and the organization's record. Of the CSR's only those
/// that the template takes from it and a check has held against the account: CN, E and serialNumber.
ca::Content resolve_content(const PolicyInput& in) {
    using Attribute = crypto::DnAttribute;
    const auto& profile = *in.profile;
    ca::Content c;
    c.profile = profile.id;
    c.profile_version = profile.version;
    c.profile_name = profile.name;
    c.parameters = profile.parameters;
    c.key = in.request.csr->key();
    for (const auto& name : in.names) {
        if (profile.strong_mapping == StrongMapping::extension && maps_identity(profile, name))
            c.security_identifier = *crypto::security_identifier_in(name.value);
        else
            c.names.push_back(name);
    }
    c.tls_server = profile.tls_server();
    c.key_blocked = in.key_block != nullptr;
    if (const auto* backend = in.backends.find(profile.backend)) c.publicly_trusted = backend->capabilities().publicly_trusted;
    c.issuer_key_id = in.request.issuer_key_id;
    c.must_staple = profile.must_staple && in.request.csr->must_staple();

    // Where the end was asked for, backdating must not stretch the term beyond the longest.
    auto begin = in.now - profile.backdate;
    if (in.request.not_after) begin = std::max(begin, std::min(in.now, *in.request.not_after - profile.longest));
    if (in.request.not_before) begin = *in.request.not_before;
    c.not_before = core::floor_seconds(begin);
    // The last second counts (RFC 5280 §4.1.2.5), so a term ends one second early.
    c.not_after = in.request.not_after ? core::floor_seconds(*in.request.not_after)
                                       : c.not_before + profile.lifetime - std::chrono::seconds(1);

    const Organization* organization = in.account->organization ? in.catalog.organization(*in.account->organization) : nullptr;
    const Department* department = in.account->department ? in.catalog.department(*in.account->department) : nullptr;
    const auto add = [&](Attribute type, const std::string& value) {
        if (!value.empty()) c.subject.entries.emplace_back(type, value);
    };
    // Most general first, whatever order the template has.
    const auto wants = [&](std::string_view what) {
        for (const auto& s : profile.subject)
            if (s == what) return true;
        return false;
    };
    if (organization) {
        if (wants("C")) add(Attribute::country, organization->country);
        if (wants("ST")) add(Attribute::state, organization->state);
        if (wants("L")) add(Attribute::locality, organization->locality);
        if (wants("O")) add(Attribute::organization, organization->legal_name);
        if (wants("OU") && department) add(Attribute::organizational_unit, department->name);
    }
    if (wants("CN")) add(Attribute::common_name, profile.text_common_name ? in.request.csr->subject().values(Attribute::common_name).front() : common_name(in));
    for (const auto attribute : {Attribute::serial_number, Attribute::email})
        if (wants(crypto::short_name(attribute)))
            for (const auto& value : in.request.csr->subject().values(attribute))
                add(attribute, attribute == Attribute::email ? normalize_mailbox(value).value() : value);

    c.key_usage = profile.key_usage;
    if (c.key_usage.empty()) {
        c.key_usage.push_back(crypto::KeyUsageBit::digital_signature);
        if (c.key.type() == crypto::KeyType::rsa) c.key_usage.push_back(crypto::KeyUsageBit::key_encipherment);
    }
    c.extended_key_usage = profile.extended_key_usage;
    return c;
}

}  // namespace postern::ra
