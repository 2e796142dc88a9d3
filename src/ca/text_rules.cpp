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

bool graphic_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

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
    const auto at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || at > 64 || !graphic_ascii(text) || text.find('@') != at)
        return "is no mailbox like name@example.com";
    const auto why = lint::why_no_dns_name(text.substr(at + 1), false);
    return why.empty() ? why : "has a domain that " + why;
}

std::string why_no_uri(std::string_view text) {
    const auto colon = text.find(':');
    const auto scheme = text.substr(0, colon);
    const bool well_formed = colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() && graphic_ascii(text) &&
                             std::ranges::all_of(scheme, [](char c) { return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.'; });
    return well_formed ? "" : "is no absolute URI in ASCII (RFC 5280 section 4.2.1.6)";
}

}  // namespace postern::ca::text_rules
