#include "core/json/escape.hpp"

#include <array>
#include <cstdint>

namespace postern::json {
namespace {

constexpr std::uint32_t not_utf8 = 0xFFFFFFFF;

/// The code point that starts at `text[at]` and its length; `not_utf8` with length 1 for overlong
/// forms, surrogates, values above U+10FFFF and broken sequences (RFC 3629 §4).
std::uint32_t decode(std::string_view text, std::size_t at, std::size_t& length) {
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = octet(at);
    std::size_t want = 0;
    std::uint32_t least = 0;
    std::uint32_t code = 0;
    if (lead >= 0xC2 && lead <= 0xDF) {
        want = 2, least = 0x80, code = lead & 0x1FU;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        want = 3, least = 0x800, code = lead & 0x0FU;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        want = 4, least = 0x10000, code = lead & 0x07U;
    }
    length = 1;
    if (want == 0 || text.size() - at < want) return not_utf8;
    for (std::size_t i = 1; i < want; ++i) {
        if ((octet(at + i) & 0xC0U) != 0x80U) return not_utf8;
        code = (code << 6U) | (octet(at + i) & 0x3FU);
    }
    if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return not_utf8;
    length = want;
    return code;
}

bool unsafe(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||  // C0, DEL, C1 (U+009B is a terminal's CSI)
           code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_u(std::string& out, std::uint32_t code) {
    static constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) out += digits[(code >> shift) & 0xFU];
}

void append_ascii(std::string& out, char c) {
    switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default: append_u(out, static_cast<std::uint8_t>(c)); break;
    }
}

/// Octets that stand for themselves.
constexpr auto plain_octets = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 0x20; c < 0x7F; ++c) out[c] = c != '"' && c != '\\';
    return out;
}();

bool plain(char c) {
    return plain_octets[static_cast<std::uint8_t>(c)];
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && plain(text[end])) ++end;
        out.append(text, at, end - at);
        at = end;
        if (at == text.size()) break;
        if (static_cast<std::uint8_t>(text[at]) < 0x80) {
            append_ascii(out, text[at++]);
            continue;
        }
        std::size_t length = 0;
        const std::uint32_t code = decode(text, at, length);
        if (code == not_utf8) {
            out += "\xEF\xBF\xBD";
        } else if (unsafe(code)) {
            append_u(out, code);
        } else {
            out.append(text, at, length);
        }
        at += length;
    }
}

std::string printable(std::string_view text, bool lines) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t length = 1;
        const auto octet = static_cast<std::uint8_t>(text[at]);
        const std::uint32_t code = octet < 0x80 ? octet : decode(text, at, length);
        if (code == not_utf8)
            out += "\xEF\xBF\xBD";
        else if (unsafe(code) && !(lines && (code == '\n' || code == '\t')))
            append_u(out, code);
        else
            out.append(text, at, length);
        at += length;
    }
    return out;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    append_escaped(out, text);
    out += '"';
}

}  // namespace postern::json
