#include "ra/names.hpp"

#include <algorithm>

#include "ca/text_rules.hpp"
#include "core/crypto/name.hpp"
#include "core/dns/international.hpp"

namespace postern::ra {

namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

/// At most 256 octets of it, whole characters of UTF-8.
std::string shown(std::string_view name) {
    std::size_t end = std::min<std::size_t>(name.size(), 256);
    while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80) --end;
    return "\"" + std::string(name.substr(0, end)) + "\"";
}
core::Problem rejected(std::string_view name, std::string_view why) {
    return {core::ProblemKind::rejected_identifier, shown(name) + " is refused: " + std::string(why)};
}
core::Problem malformed(std::string_view name, std::string_view why) {
    return {core::ProblemKind::malformed, shown(name) + " is not a DNS name: " + std::string(why)};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void lower_ascii(std::string& text, std::size_t from = 0) {
    std::transform(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), text.begin() + static_cast<std::ptrdiff_t>(from),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

/// LDH rule of RFC 5890 §2.3.1.
std::optional<std::string_view> why_bad_label(std::string_view label) {
    if (label.empty()) return "a label is empty";
    if (label.size() > longest_label) return "a label is longer than 63 octets";
    for (const char c : label) {
        if (!is_letter(c) && !is_digit(c) && c != '-') return "a label may have letters, digits and hyphens only";
    }
    if (label.front() == '-' || label.back() == '-') return "a label begins or ends with a hyphen";
    return std::nullopt;
}

/// Reserved "??--" labels other than A-labels mean nothing we know (RFC 5890 §2.3.1).
std::optional<std::string> why_reserved_label(std::string_view label) {
    if (label.size() < 4 || label.substr(2, 2) != "--") return std::nullopt;
    if (label.substr(0, 2) != "xn") return "labels with hyphens in the third and fourth place are reserved";
    return dns::why_no_a_label(label);
}

/// Whether an entry is a network (as read_host_entry() writes it) that holds the address.
bool in_network(std::string_view entry, std::string_view address) {
    const auto slash = entry.find('/');
    if (slash == std::string_view::npos) return false;
    const auto network = crypto::ip_octets(entry.substr(0, slash)), octets = crypto::ip_octets(address);
    const auto bits = static_cast<std::size_t>(std::stoul(std::string(entry.substr(slash + 1))));
    if (network.size() != octets.size() || bits > 8 * octets.size()) return false;
    if (!std::equal(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(bits / 8), network.begin())) return false;
    return bits % 8 == 0 || ((octets[bits / 8] ^ network[bits / 8]) >> (8 - bits % 8)) == 0;
}

}  // namespace

core::Result<std::string> normalize_dns(std::string_view name, NameRules rules) {
    if (name.empty()) return malformed(name, "it is empty");
    if (name.back() == '.') return malformed(name, "leave out the final dot");
    if (name.size() > longest_name) return malformed(name, "it is longer than 253 octets");

    // One name has one spelling here: that of DNS. Which of a U-label's a client meant is not guessed.
    if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return rejected(name, "write non-ASCII labels as A-labels (xn--…)");

    std::string out(name);
    lower_ascii(out);

    std::string_view rest = out;
    if (rest.starts_with("*.")) {
        if (!rules.wildcard) return malformed(name, "a wildcard is not allowed here");
        rest.remove_prefix(2);
    } else if (rest == "*") {
        return malformed(name, "a wildcard needs a domain behind it");
    }
    if (!crypto::canonical_ip(rest).empty()) return malformed(name, "it is an IP address; use the identifier type ip");

    std::size_t labels = 0;
    std::string_view last;
    for (std::size_t from = 0; from <= rest.size();) {
        const std::size_t dot = std::min(rest.find('.', from), rest.size());
        last = rest.substr(from, dot - from);
        if (last.find('*') != std::string_view::npos) return malformed(name, "a wildcard is the whole leftmost label or nothing");
        if (const auto why = why_bad_label(last)) return malformed(name, *why);
        if (const auto why = why_reserved_label(last)) return rejected(name, *why);
        ++labels;
        from = dot + 1;
    }
    if (labels < 2 && !rules.single_label) return rejected(name, "it has a single label; names need at least two");
    if (std::all_of(last.begin(), last.end(), is_digit)) return malformed(name, "the last label is a number");
    return out;
}

core::Result<std::string> normalize_mailbox(std::string_view text) {
    std::string out(text);
    const auto at = std::min(out.find('@'), out.size());
    lower_ascii(out, at);
    if (const auto why = ca::text_rules::why_no_mailbox(out); !why.empty()) return core::Problem(core::ProblemKind::malformed, shown(text) + " " + why);
    return out;
}

bool NameScope::covers_dns(std::string_view normalized) const {
    std::string_view bare = normalized;
    if (bare.starts_with("*.")) {
        if (!wildcard) return false;
        bare.remove_prefix(2);
        // "*.example.com" names descendants of example.com, so the entry must cover descendants.
        return std::any_of(names.begin(), names.end(), [&](const std::string& entry) {
            if (entry == "*") return true;
            if (!entry.starts_with('.')) return false;
            return bare == std::string_view(entry).substr(1) || bare.ends_with(entry);
        });
    }
    return std::any_of(names.begin(), names.end(), [&](const std::string& entry) {
        if (entry == "*") return true;
        if (entry.starts_with('.')) return bare.size() > entry.size() && bare.ends_with(entry);
        return bare == entry;
    });
}

bool NameScope::covers_ip(std::string_view canonical) const {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& entry) { return entry == "*" || entry == canonical || in_network(entry, canonical); });
}

bool NameScope::covers_email(std::string_view normalized) const {
    return std::any_of(emails.begin(), emails.end(), [&](const std::string& entry) {
        if (entry == "*") return true;
        if (entry.starts_with("*@")) return normalized.ends_with(std::string_view(entry).substr(1));
        return entry == normalized;
    });
}

bool NameScope::covers_uri(std::string_view uri) const {
    return std::any_of(uris.begin(), uris.end(), [&](const std::string& entry) {
        if (!entry.ends_with('*')) return entry == uri;
        return uri.starts_with(std::string_view(entry).substr(0, entry.size() - 1));
    });
}

/// Directories compare principal names without regard to case.
bool NameScope::covers_upn(std::string_view upn) const {
    std::string name(upn);
    lower_ascii(name);
    const bool computer = name.find("$@") != std::string::npos;
    return std::any_of(upns.begin(), upns.end(), [&](std::string entry) {
        lower_ascii(entry);
        if (!entry.starts_with('*')) return entry == name;
        return !computer && (entry == "*" || name.ends_with(std::string_view(entry).substr(1)));
    });
}

bool NameScope::covers(const crypto::GeneralName& name) const {
    switch (name.type) {
        case crypto::GeneralNameType::dns: return covers_dns(name.value);
        case crypto::GeneralNameType::ip: return covers_ip(name.value);
        case crypto::GeneralNameType::email: return covers_email(name.value);
        case crypto::GeneralNameType::uri: return covers_uri(name.value);
        case crypto::GeneralNameType::upn: return covers_upn(name.value);
        case crypto::GeneralNameType::other: return false;
    }
    return false;
}

bool NameScope::lists_dns(std::string_view normalized) const {
    if (!normalized.starts_with("*.")) return std::find(names.begin(), names.end(), normalized) != names.end();
    return wildcard && std::find(names.begin(), names.end(), normalized.substr(1)) != names.end();
}

std::string NameScope::to_text(crypto::GeneralNameType type) const {
    const bool host = type == crypto::GeneralNameType::dns || type == crypto::GeneralNameType::ip;
    const auto& list = type == crypto::GeneralNameType::email ? emails
                       : type == crypto::GeneralNameType::uri ? uris
                       : type == crypto::GeneralNameType::upn ? upns
                                                              : names;
    std::string out;
    for (const auto& n : list) {
        if (!out.empty()) out += ", ";
        out += n;
    }
    if (out.empty()) return host ? "no name at all" : "no " + std::string(crypto::to_string(type)) + " at all";
    if (host && wildcard) out += " (wildcards too)";
    return out;
}

}  // namespace postern::ra
