#include "core/base/encoding.hpp"

#include <array>

namespace postern::core {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Value of each character, 0xff for those outside the alphabet.
using DecodeTable = std::array<std::uint8_t, 256>;
constexpr std::uint8_t foreign = 0xff;

constexpr DecodeTable table_of(std::string_view alphabet) {
    DecodeTable table{};
    for (auto& entry : table) entry = foreign;
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}
constexpr DecodeTable standard_table = table_of(standard_alphabet);
constexpr DecodeTable url_table = table_of(url_alphabet);
constexpr DecodeTable hex_table = [] {
    DecodeTable table = table_of(hex_digits);
    for (unsigned i = 0; i < 6; ++i) table['A' + i] = static_cast<std::uint8_t>(10 + i);
    return table;
}();

std::string encode(BytesView bytes, std::string_view alphabet, bool padded) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group = (std::uint32_t{bytes[i]} << 16) | (std::uint32_t{bytes[i + 1]} << 8) | bytes[i + 2];
        out.push_back(alphabet[group >> 18]);
        out.push_back(alphabet[(group >> 12) & 63]);
        out.push_back(alphabet[(group >> 6) & 63]);
        out.push_back(alphabet[group & 63]);
    }
    const std::size_t left = bytes.size() - i;
    if (left == 0) return out;
    const std::uint32_t group =
        (std::uint32_t{bytes[i]} << 16) | (left == 2 ? std::uint32_t{bytes[i + 1]} << 8 : 0U);
    out.push_back(alphabet[group >> 18]);
    out.push_back(alphabet[(group >> 12) & 63]);
    if (left == 2) out.push_back(alphabet[(group >> 6) & 63]);
    if (padded) out.append(3 - left, '=');
    return out;
}

/// `text` without its padding. Bits beyond the last whole octet must be zero, so that every octet
/// string has exactly one accepted text.
std::optional<Bytes> decode(std::string_view text, const DecodeTable& table) {
    if (text.size() % 4 == 1) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const std::uint8_t value = table[static_cast<std::uint8_t>(c)];
        if (value == foreign) return std::nullopt;
        group = (group << 6) | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(group >> bits));
            group &= (1U << bits) - 1;
        }
    }
    if (group != 0) return std::nullopt;
    return out;
}

}  // namespace

std::string hex(BytesView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const auto octet : bytes) {
        out.push_back(hex_digits[octet >> 4]);
        out.push_back(hex_digits[octet & 15]);
    }
    return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::uint8_t high = hex_table[static_cast<std::uint8_t>(text[i])];
        const std::uint8_t low = hex_table[static_cast<std::uint8_t>(text[i + 1])];
        if (high == foreign || low == foreign) return std::nullopt;
        out.push_back(static_cast<std::uint8_t>((high << 4) | low));
    }
    return out;
}

std::string base64url(BytesView bytes) { return encode(bytes, url_alphabet, false); }

std::optional<Bytes> from_base64url(std::string_view text) { return decode(text, url_table); }

std::string base64(BytesView bytes) { return encode(bytes, standard_alphabet, true); }

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    // At most two, and only at the end; decode() refuses any other '='.
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return decode(text, standard_table);
}

}  // namespace postern::core
