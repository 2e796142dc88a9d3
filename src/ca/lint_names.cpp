#include <algorithm>
#include <array>
#include <set>

#include "ca/lint_rules.hpp"
#include "ca/text_rules.hpp"
#include "core/crypto/security_identifier.hpp"
#include "validation/address_guard.hpp"

/// Subject alternative names: lints 26, 30–33.
namespace postern::ca::lint {
namespace {

using crypto::GeneralName;
using crypto::GeneralNameType;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_ldh(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }

std::string why_no_label(std::string_view label) {
    if (label.empty()) return "has an empty label";
    if (label.size() > 63) return "has a label of more than 63 octets";
    if (!std::ranges::all_of(label, is_ldh)) return "has a character other than lower-case letters, digits and hyphens";
    if (label.front() == '-' || label.back() == '-') return "has a label that begins or ends with a hyphen";
    // RFC 5890 §2.3.1: "--" in third place is reserved, and only "xn--" has a meaning.
    if (label.size() > 3 && label.substr(2, 2) == "--" && !label.starts_with("xn--"))
        return "has a reserved label (\"--\" in third place without \"xn\" before it)";
    return {};
}

/// Addresses that are nobody's in particular cannot be proven or served.
bool nobodys_address(std::string_view text) {
    const auto octets = crypto::ip_octets(text);
    if (octets.empty()) return true;
    if (std::ranges::all_of(octets, [](std::uint8_t o) { return o == 0; })) return true;
    return octets.size() == 4 ? octets[0] >= 224 || octets[0] == 0 : octets[0] == 0xff;
}

/// Names that no registry delegates: one label, and the special-use names of RFC 6761 and 8375 and of
/// ICANN's list of collisions.
bool internal_name(std::string_view name) {
    constexpr std::array special{"local", "localhost", "internal", "intranet", "private", "corp", "home", "lan", "test", "example",
                                 "invalid", "onion", "alt", "home.arpa"};
    if (name.find('.') == std::string_view::npos) return true;
    return std::ranges::any_of(special, [&](std::string_view end) { return name.ends_with("." + std::string(end)); });
}

/// A "*" anywhere but as the whole leftmost label above at least two others.
bool star_misplaced(std::string_view name) {
    const auto star = name.find('*');
    if (star == std::string_view::npos) return false;
    if (!name.starts_with("*.") || name.find('*', 1) != std::string_view::npos) return true;
    return name.substr(2).find('.') == std::string_view::npos;
}

/// The lint that one name offends, and how. All of them are the request's.
Finding bad_name(const GeneralName& name, bool publicly_trusted) {
    const auto offence = [](std::string_view lint, std::string why) -> Finding {
        if (why.empty()) return std::nullopt;
        return Offence(lint, std::move(why), Fault::request);
    };
    switch (name.type) {
        case GeneralNameType::dns:
            if (auto bad = offence(star_misplaced(name.value) ? "wildcard" : "dns_name", why_no_dns_name(name.value, true))) return bad;
            if (publicly_trusted && internal_name(name.value))
                return offence("reserved_name", "is an internal or special-use name, which no public CA certifies");
            return std::nullopt;
        case GeneralNameType::ip:
            if (nobodys_address(name.value))
                return offence("reserved_name", "is an unspecified, multicast or broadcast address, which is no host's");
            if (const auto why = publicly_trusted ? validation::why_forbidden(name.value) : std::nullopt)
                return offence("reserved_name", "is a special-purpose address (" + std::string(*why) + "), which no public CA certifies");
            return std::nullopt;
        case GeneralNameType::email: return offence("alt_names", text_rules::why_no_mailbox(name.value));
        case GeneralNameType::uri: return offence("alt_names", text_rules::why_no_uri(name.value));
        case GeneralNameType::upn: return offence("alt_names", text_rules::why_no_principal_name(name.value));
        case GeneralNameType::other: return offence("alt_names", "is of a type that profiles do not give");
    }
    return std::nullopt;
}

std::string_view called(GeneralNameType type) {
    switch (type) {
        case GeneralNameType::dns: return "DNS name";
        case GeneralNameType::ip: return "IP address";
        case GeneralNameType::email: return "mailbox";
        case GeneralNameType::uri: return "URI";
        case GeneralNameType::upn: return "principal name";
        case GeneralNameType::other: return "other name";
    }
    return "name";
}

/// Whatever a name holds, the text for people stays one short printable line.
std::string shown(std::string_view value) {
    std::string out(value.substr(0, 80));
    std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

}  // namespace

std::string why_no_dns_name(std::string_view name, bool wildcard) {
    if (name.empty()) return "is empty";
    if (name.size() > 253) return "is longer than 253 octets";
    if (!crypto::ip_octets(name).empty()) return "is an IP address, not a DNS name";
    const bool starred = name.starts_with("*.");
    if (starred) name.remove_prefix(2);
    if (name.find('*') != std::string_view::npos || (starred && !wildcard))
        return "has a \"*\" that is not the whole leftmost label";
    std::size_t labels = 0;
    std::string_view last;
    for (std::size_t from = 0; from <= name.size(); ++labels) {
        const auto dot = std::min(name.find('.', from), name.size());
        last = name.substr(from, dot - from);
        if (auto why = why_no_label(last); !why.empty()) return why;
        from = dot + 1;
    }
    if (std::ranges::all_of(last, is_digit)) return "ends in a label of digits only, like an address";
    if (starred && labels < 2) return "has a wildcard directly below a top-level name";
    return {};
}

Finding alt_names(const Subject& s) {
    const auto* extension = s.tbs.find("2.5.29.17");
    if (extension == nullptr) {
        if (s.tbs.subject.size() == 2)
            return Offence("empty_subject", "a certificate without a subject needs a subject alternative name");
        if (s.content.tls_server || !s.content.names.empty())
            return Offence("alt_names", "the subject alternative name is missing");
        return std::nullopt;
    }
    const auto names = crypto::parse_general_names(extension->value);
    if (!names) return Offence("alt_names", names.error().detail, Fault::request);
    if (names->empty()) return Offence("alt_names", "the subject alternative name is empty");
    if (*names != s.content.names) return Offence("alt_names", "the subject alternative names are not the authorised ones");
    std::set<std::pair<GeneralNameType, std::string_view>> seen;
    bool mapped = !s.content.security_identifier.empty();
    for (const auto& name : *names) {
        if (crypto::resembles_security_identifier(name.value)) {
            if (name.type != GeneralNameType::uri || !crypto::security_identifier_in(name.value))
                return Offence("security_identifier", "a name looks like a security identifier of Windows and is none", Fault::request);
            if (mapped) return Offence("security_identifier", "a certificate has one security identifier of Windows", Fault::request);
            mapped = true;
        }
        if (const auto bad = bad_name(name, s.content.publicly_trusted))
            return Offence(bad->name, std::string(called(name.type)) + " \"" + shown(name.value) + "\" " + bad->detail, bad->fault);
        if (!seen.emplace(name.type, name.value).second)
            return Offence("alt_names", std::string(called(name.type)) + " \"" + shown(name.value) + "\" stands there twice", Fault::request);
        if (s.content.tls_server && name.type != GeneralNameType::dns && name.type != GeneralNameType::ip)
            return Offence("alt_names", "a TLS server certificate names DNS names and addresses only, not a " +
                                            std::string(called(name.type)), Fault::request);
    }
    return std::nullopt;
}

}  // namespace postern::ca::lint
