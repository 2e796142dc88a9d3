#include "core/crypto/security_identifier.hpp"

#include <algorithm>

#include "core/crypto/der.hpp"

namespace postern::crypto {
namespace {

constexpr std::string_view oid_in_other_name = "1.3.6.1.4.1.311.25.2.1";
constexpr std::string_view domain_authority = "S-1-5-21-";

/// One decimal number off the front; false when there is none.
bool take_number(std::string_view& text) noexcept {
    const auto end = std::min(text.find('-'), text.size());
    const auto digits = text.substr(0, end);
    if (digits.empty() || digits.size() > 10 || (digits.size() > 1 && digits.front() == '0')) return false;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > 0xffffffffU) return false;
    text.remove_prefix(end);
    return true;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool encoded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        out += encoded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
        if (encoded) i += 2;
    }
    return out;
}

/// Lower-case ASCII that shows; full-width forms (U+FF01 to U+FF5E) become what they look like, the rest is left out.
std::string folded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c == 0xef && i + 2 < text.size()) {
            const auto second = static_cast<unsigned char>(text[i + 1]), third = static_cast<unsigned char>(text[i + 2]);
            const bool well_formed = (second & 0xc0U) == 0x80 && (third & 0xc0U) == 0x80;
            const unsigned code = 0xf000U | ((second & 0x3fU) << 6U) | (third & 0x3fU);
            if (well_formed && code >= 0xff01 && code <= 0xff5e) {
                c = static_cast<unsigned char>(code - 0xff01 + 0x21);
                i += 2;
            }
        }
        if (c <= 0x20 || c >= 0x7f) continue;
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : static_cast<char>(c);
    }
    return out;
}

}  // namespace

bool is_security_identifier(std::string_view text) noexcept {
    if (!text.starts_with(domain_authority)) return false;
    text.remove_prefix(domain_authority.size());
    for (int number = 0; number < 4; ++number) {
        if (!take_number(text)) return false;
        if (number == 3) break;
        if (!text.starts_with('-')) return false;
        text.remove_prefix(1);
    }
    return text.empty();
}

std::optional<std::string_view> security_identifier_in(std::string_view uri) noexcept {
    if (!uri.starts_with(security_identifier_uri_prefix)) return std::nullopt;
    uri.remove_prefix(security_identifier_uri_prefix.size());
    if (!is_security_identifier(uri)) return std::nullopt;
    return uri;
}

bool resembles_security_identifier(std::string_view text) {
    // Neither half is without a comma or a colon, and hosts, which are most names, have none.
    if (std::ranges::none_of(text, [](char c) { return c == ',' || c == ':' || c == '%' || static_cast<unsigned char>(c) >= 0x80; })) return false;
    constexpr int most_layers = 8;  // nobody needs them, and each costs a pass
    std::string plain(text);
    for (int layer = 0; layer < most_layers; ++layer) {
        // Both halves of the tag count alone: who reads one as enough must not be the first to find it here.
        const std::string seen = folded(plain);
        if (seen.find("microsoft.com,2022-09-14") != std::string::npos || seen.find(":sid:s-1-") != std::string::npos) return true;
        std::string next = percent_decoded(plain);
        if (next.size() == plain.size()) return false;
        plain = std::move(next);
    }
    return true;
}

core::Bytes security_identifier_extension(std::string_view identifier) {
    der::Writer out;
    out.begin(der::sequence).begin(der::context_constructed(0)).oid(oid_in_other_name);
    out.begin(der::context_constructed(0)).text(der::octet_string, identifier).end().end().end();
    return out.take();
}

}  // namespace postern::crypto
