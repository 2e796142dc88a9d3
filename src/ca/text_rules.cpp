#include "ca/text_rules.hpp"

#include <algorithm>

#include "ca/lint_rules.hpp"

namespace postern::ca::text_rules {
namespace {

/// Takes one character off the front; nullopt when it is ill-formed.
std::optional<char32_t> next_character(std::string_view& text) noexcept {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first < 0x80 ? 1 : (first & 0xe0U) == 0xc0 ? 2 : (first & 0xf0U) == 0xe0 ? 3 : (first & 0xf8U) == 0xf0 ? 4 : 0;
    if (size == 0 || text.size() < size) return std::nullopt;
    char32_t c = size == 1 ? first : first & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto more = static_cast<unsigned char>(text[i]);
        if ((more & 0xc0U) != 0x80) return std::nullopt;
        c = (c << 6U) | (more & 0x3fU);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return std::nullopt;
    text.remove_prefix(size);
    return c;
}

bool is_letter_or_digit(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex_digit(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// "." or "..", or either with its dots percent-encoded, as one segment of a path.
bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        std::string segment(path.substr(0, path.find('/')));
        path.remove_prefix(std::min(segment.size() + 1, path.size()));
        for (auto at = segment.find("%2"); at != std::string::npos; at = segment.find("%2", at + 1))
            if (at + 2 < segment.size() && (segment[at + 2] == 'e' || segment[at + 2] == 'E')) segment.replace(at, 3, ".");
        if (segment == "." || segment == "..") return true;
    }
    return false;
}

constexpr std::size_t longest_mailbox = 254;         // RFC 5321 §4.5.3.1.3, without its brackets
constexpr std::size_t longest_uri = 2048;
constexpr std::size_t longest_principal_name = 256;  // as the directory keeps them

}  // namespace

std::optional<std::size_t> utf8_length(std::string_view text) noexcept {
    std::size_t n = 0;
    for (; !text.empty(); ++n)
        if (!next_character(text)) return std::nullopt;
    return n;
}

bool has_control_or_direction_mark(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto c = next_character(text);
        if (!c) return true;
        if (*c < 0x20 || (*c >= 0x7f && *c <= 0x9f) || (*c >= 0x200b && *c <= 0x200f) || (*c >= 0x2028 && *c <= 0x202e) ||
            (*c >= 0x2060 && *c <= 0x206f) || *c == 0x061c || *c == 0xfeff)
            return true;
    }
    return false;
}

bool has_html_entity(std::string_view text) noexcept {
    for (auto at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
        const auto end = text.find(';', at);
        if (end == std::string_view::npos || end == at + 1) continue;
        const auto name = text.substr(at + 1, end - at - 1);
        if (name.front() == '#' || std::ranges::all_of(name, is_letter_or_digit)) return true;
    }
    return false;
}

bool is_printable_string(std::string_view text) noexcept {
    constexpr std::string_view others = " '()+,-./:=?";
    return std::ranges::all_of(text, [&](char c) { return is_letter_or_digit(c) || others.find(c) != std::string_view::npos; });
}

std::string why_no_mailbox(std::string_view text) {
    constexpr std::string_view atom = "!#$%&'*+-/=?^_`{|}~.";
    const auto at = text.find('@');
    const auto local = text.substr(0, at);
    if (text.size() > longest_mailbox) return "is longer than 254 octets";
    const bool dotted = !local.empty() && local.front() != '.' && local.back() != '.' && local.find("..") == std::string_view::npos;
    if (at == std::string_view::npos || at > 64 || !dotted ||
        !std::ranges::all_of(local, [&](char c) { return is_letter_or_digit(c) || atom.find(c) != std::string_view::npos; }))
        return "is no mailbox like name@example.com";
    const auto why = lint::why_no_dns_name(text.substr(at + 1), false);
    return why.empty() ? why : "has a domain that " + why;
}

std::string why_no_uri(std::string_view text) {
    constexpr std::string_view marks = "-._~:/?#[]@!$&'()*+,;=";
    if (text.size() > longest_uri) return "is longer than 2048 octets";
    const auto colon = text.find(':');
    const auto scheme = text.substr(0, colon);
    const bool absolute = colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() && is_letter(scheme.front()) &&
                          std::ranges::all_of(scheme, [](char c) { return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.'; });
    if (!absolute) return "is no absolute URI in ASCII (RFC 5280 section 4.2.1.6)";
    for (std::size_t i = colon; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && is_hex_digit(text[i + 1]) && is_hex_digit(text[i + 2])) continue;
        if (!is_letter_or_digit(text[i]) && marks.find(text[i]) == std::string_view::npos)
            return "has a character that a URI writes as % and two hexadecimal digits (RFC 3986 section 2)";
    }
    const auto rest = text.substr(colon + 1);
    const auto authority = rest.starts_with("//") ? rest.substr(2, rest.find_first_of("/?#", 2) - 2) : std::string_view();
    if (authority.find('@') != std::string_view::npos) return "has user information before its host";
    if (has_dot_segment(rest.substr(0, rest.find_first_of("?#")))) return "has a segment \".\" or \"..\"; write the path that it leads to";
    return {};
}

std::string why_no_principal_name(std::string_view text) {
    if (text.size() > longest_principal_name) return "is longer than 256 octets";
    if (!utf8_length(text) || has_control_or_direction_mark(text)) return "is no UTF-8, or has a control character or an invisible one";
    const auto at = text.find('@');
    const auto prefix = text.substr(0, at);
    // What a sAMAccountName cannot have, and what would be read as something else than a name.
    if (at == std::string_view::npos || prefix.empty() || prefix.find_first_of(" \"/\\[]:;|=,+*?<>%") != std::string_view::npos)
        return "is no principal name like name@corp.example";
    std::string suffix(text.substr(at + 1));
    std::ranges::transform(suffix, suffix.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto why = lint::why_no_dns_name(suffix, false);
    return why.empty() ? why : "has a suffix that " + why;
}

}  // namespace postern::ca::text_rules
