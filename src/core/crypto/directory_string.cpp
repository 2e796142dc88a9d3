#include "core/crypto/directory_string.hpp"

#include <algorithm>

namespace postern::crypto {
namespace {

void append_utf8(std::string& out, unsigned code_point) {
    if (code_point < 0x80) {
        out.push_back(static_cast<char>(code_point));
    } else if (code_point < 0x800) {
        out.push_back(static_cast<char>(0xc0U | (code_point >> 6)));
        out.push_back(static_cast<char>(0x80U | (code_point & 0x3fU)));
    } else {
        out.push_back(static_cast<char>(0xe0U | (code_point >> 12)));
        out.push_back(static_cast<char>(0x80U | ((code_point >> 6) & 0x3fU)));
        out.push_back(static_cast<char>(0x80U | (code_point & 0x3fU)));
    }
}

/// RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(core::BytesView text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const std::uint8_t lead = text[i++];
        if (lead < 0x80) continue;
        std::size_t following = 0;
        std::uint8_t least = 0x80;  // bounds of the second octet
        std::uint8_t most = 0xbf;
        if (lead >= 0xc2 && lead <= 0xdf) {
            following = 1;
        } else if (lead >= 0xe0 && lead <= 0xef) {
            following = 2;
            if (lead == 0xe0) least = 0xa0;
            if (lead == 0xed) most = 0x9f;
        } else if (lead >= 0xf0 && lead <= 0xf4) {
            following = 3;
            if (lead == 0xf0) least = 0x90;
            if (lead == 0xf4) most = 0x8f;
        } else {
            return false;
        }
        if (text.size() - i < following || text[i] < least || text[i] > most) return false;
        for (std::size_t k = 1; k < following; ++k)
            if ((text[i + k] & 0xc0U) != 0x80) return false;
        i += following;
    }
    return true;
}

std::optional<std::string> from_bmp(core::BytesView content) {
    if (content.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < content.size(); i += 2) {
        const unsigned code_point = (unsigned{content[i]} << 8) | content[i + 1];
        if (code_point == 0 || (code_point >= 0xd800 && code_point <= 0xdfff)) return std::nullopt;
        append_utf8(out, code_point);
    }
    return out;
}

}  // namespace

std::optional<std::string> directory_string(const der::Element& e) {
    if (e.tag == der::bmp_string) return from_bmp(e.content);
    // A NUL ends the text for those who read it as C (CVE-2009-2408).
    if (std::ranges::find(e.content, 0) != e.content.end()) return std::nullopt;
    const bool ascii = std::ranges::all_of(e.content, [](std::uint8_t c) { return c < 0x80; });
    switch (e.tag) {
        case der::utf8_string:
            if (!is_utf8(e.content)) return std::nullopt;
            return std::string(core::as_text(e.content));
        case der::printable_string:
        case der::ia5_string:
            if (!ascii) return std::nullopt;
            return std::string(core::as_text(e.content));
        case der::t61_string: {
            std::string out;
            for (const auto octet : e.content) append_utf8(out, octet);
            return out;
        }
        default: return std::nullopt;
    }
}

bool is_printable_string(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos;
    });
}

}  // namespace postern::crypto
