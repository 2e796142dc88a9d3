#pragma once
#include <string_view>

/// Characters and comparisons of RFC 9110 §5.6, independent of any locale. For core/http only.
namespace postern::http::text {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool same(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

/// Without optional white space (SP and HTAB) at both ends.
constexpr std::string_view trim(std::string_view v) noexcept {
    while (!v.empty() && (v.front() == ' ' || v.front() == '\t')) v.remove_prefix(1);
    while (!v.empty() && (v.back() == ' ' || v.back() == '\t')) v.remove_suffix(1);
    return v;
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_token_char(char c) noexcept {
    if (is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr bool is_token(std::string_view v) noexcept {
    if (v.empty()) return false;
    for (const char c : v)
        if (!is_token_char(c)) return false;
    return true;
}

/// HTAB, SP, visible ASCII and octets above it: no other control character (RFC 9110 §5.5).
constexpr bool is_field_value(std::string_view v) noexcept {
    for (const char c : v) {
        const auto octet = static_cast<unsigned char>(c);
        if ((octet < 0x20 && c != '\t') || octet == 0x7f) return false;
    }
    return true;
}

/// True when the comma-separated list has this element, in any letter case.
constexpr bool list_has(std::string_view list, std::string_view element) noexcept {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (same(trim(list.substr(0, comma)), element)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace postern::http::text
