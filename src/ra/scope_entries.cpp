#include "ra/scope_entries.hpp"

#include <charconv>

#include "ca/text_rules.hpp"
#include "core/crypto/security_identifier.hpp"

namespace postern::ra {

namespace text_rules = ca::text_rules;

namespace {

/// In its one spelling: a canonical address without bits beyond the network's, and their number without leading zeros.
std::string read_network(std::string_view text, NameScope& scope) {
    constexpr const char* form = "no network; expected one like \"10.0.0.0/8\" or \"2001:db8::/32\"";
    const auto slash = text.find('/');
    auto octets = crypto::ip_octets(text.substr(0, slash));
    unsigned bits = 0;
    const auto digits = text.substr(slash + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (octets.empty() || digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size() || bits > 8 * octets.size()) return form;
    const auto given = octets;
    for (std::size_t bit = bits; bit < 8 * octets.size(); ++bit) octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] & ~(0x80U >> (bit % 8)));
    const auto canonical = crypto::ip_text(octets) + "/" + std::to_string(bits);
    if (octets != given) return "has bits behind the network's; did you mean \"" + canonical + "\"?";
    scope.names.push_back(canonical);
    return {};
}

}  // namespace

std::string read_host_entry(std::string_view text, NameScope& scope) {
    if (text == "*") {
        scope.names.emplace_back(text);
        return {};
    }
    if (const auto ip = crypto::canonical_ip(text); !ip.empty()) {
        scope.names.push_back(ip);
        return {};
    }
    if (text.find('/') != std::string_view::npos) return read_network(text, scope);
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

std::string read_email_entry(std::string_view text, NameScope& scope) {
    if (text == "*") {
        scope.emails.emplace_back(text);
        return {};
    }
    const bool domain = text.starts_with("*@");
    if (text.find('*', domain ? 1 : 0) != std::string_view::npos) return "a \"*\" stands for a whole name before the @";
    const auto mailbox = normalize_mailbox(domain ? "any" + std::string(text.substr(1)) : std::string(text));
    if (!mailbox) return domain ? "expected \"*@example.com\" with the name of a domain" : mailbox.error().detail;
    scope.emails.push_back(domain ? "*" + mailbox->substr(3) : *mailbox);
    return {};
}

std::string read_uri_entry(std::string_view text, NameScope& scope) {
    // Which account of Windows somebody is, no list of this kind says: strong_mapping of the profile does.
    if (crypto::resembles_security_identifier(text)) return "security identifiers are never in a scope; see strong_mapping of the profile";
    if (text != "*") {
        const bool beginning = text.ends_with('*');
        if (text.find('*') + (beginning ? 1 : 0) < text.size()) return "a \"*\" stands at the end alone";
        // "https://corp.example*" would cover https://corp.example.attacker.test, and "x:y:*" a port or a password.
        const auto before = text.substr(0, text.size() - (beginning ? 1 : 0));
        const bool host_open = before.find("://") != std::string_view::npos && before.ends_with(':');
        if (beginning && (host_open || !(before.ends_with('/') || before.ends_with(':')))) return "a \"*\" stands behind the \"/\" or \":\" of a whole part";
        if (const auto why = text_rules::why_no_uri(beginning ? std::string(before) + "x" : std::string(text)); !why.empty()) return why;
    }
    scope.uris.emplace_back(text);
    return {};
}

std::string read_upn_entry(std::string_view text, NameScope& scope) {
    if (text != "*") {
        const bool suffix = text.starts_with("*@");
        const auto why = text_rules::why_no_principal_name(suffix ? "any" + std::string(text.substr(1)) : std::string(text));
        if (!why.empty()) return why;
    }
    scope.upns.emplace_back(text);
    return {};
}

}  // namespace postern::ra
