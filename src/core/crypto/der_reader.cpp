#include <algorithm>
#include <limits>

#include "core/crypto/der.hpp"

namespace postern::crypto::der {
namespace {

constexpr std::size_t longest_oid = 100;

/// Decimal digits, least significant first: arcs have no upper bound (2.25 holds UUIDs of 128 bits).
using Decimal = std::vector<std::uint8_t>;

void multiply_add(Decimal& number, unsigned factor, unsigned addend) {
    unsigned carry = addend;
    for (auto& digit : number) {
        carry += digit * factor;
        digit = static_cast<std::uint8_t>(carry % 10);
        carry /= 10;
    }
    for (; carry != 0; carry /= 10) number.push_back(static_cast<std::uint8_t>(carry % 10));
}

void append(std::string& out, const Decimal& number) {
    if (number.empty()) out.push_back('0');
    for (auto digit = number.rbegin(); digit != number.rend(); ++digit) out.push_back(static_cast<char>('0' + *digit));
}

constexpr unsigned deepest = 32;
constexpr std::uint8_t constructed = 0x20;

/// X.690 §8.3.2: the first nine bits are not all equal.
bool is_minimal_integer(core::BytesView content) {
    if (content.empty()) return false;
    if (content.size() == 1) return true;
    const bool negative = (content[1] & 0x80U) != 0;
    return content[0] != (negative ? 0xff : 0x00);
}

bool are_der(core::BytesView bytes, unsigned depth) {
    if (depth > deepest) return false;
    Reader elements(bytes);
    while (!elements.empty()) {
        const auto element = elements.next();
        if (!element) return false;
        const bool universal = (element->tag & 0xc0U) == 0;
        const bool nested = (element->tag & constructed) != 0;
        // X.690 §10.2: of the universal types SEQUENCE and SET are constructed, and no others.
        const auto constructed_tag = static_cast<std::uint8_t>(element->tag | constructed);
        if (universal && nested != (constructed_tag == sequence || constructed_tag == set)) return false;
        if (nested && !are_der(element->content, depth + 1)) return false;
        if (element->tag == boolean && !read_boolean(*element)) return false;
        if ((element->tag == integer || element->tag == enumerated) && !is_minimal_integer(element->content)) return false;
        if (element->tag == null && !element->content.empty()) return false;
    }
    return true;
}

/// Two digits at `at`; -1 when they are none.
int two_digits(std::string_view text, std::size_t at) {
    const char high = text[at];
    const char low = text[at + 1];
    if (high < '0' || high > '9' || low < '0' || low > '9') return -1;
    return (high - '0') * 10 + (low - '0');
}

}  // namespace

std::optional<Element> Reader::next() noexcept {
    if (rest_.size() < 2) return std::nullopt;
    const std::uint8_t tag = rest_[0];
    if ((tag & 0x1fU) == 0x1f) return std::nullopt;  // no structure here has a tag number above 30
    std::size_t length = rest_[1];
    std::size_t header = 2;
    if (length >= 0x80) {
        // X.690 §10.1: definite form, in the fewest octets.
        const std::size_t count = length & 0x7fU;
        if (count == 0 || count > 4 || rest_.size() < 2 + count || rest_[2] == 0) return std::nullopt;
        length = 0;
        for (std::size_t i = 0; i < count; ++i) length = (length << 8) | rest_[2 + i];
        if (length < 0x80) return std::nullopt;
        header += count;
    }
    if (rest_.size() - header < length) return std::nullopt;
    Element element;
    element.tag = tag;
    element.content = rest_.subspan(header, length);
    element.whole = rest_.first(header + length);
    rest_ = rest_.subspan(header + length);
    return element;
}

std::optional<Element> Reader::next(std::uint8_t tag) noexcept {
    if (peek() != tag) return std::nullopt;
    return next();
}

bool is_der(core::BytesView bytes) noexcept {
    Reader one(bytes);
    return one.next() && one.empty() && are_der(bytes, 0);
}

std::string oid_text(core::BytesView content) {
    if (content.empty() || content.size() > longest_oid || (content.back() & 0x80U) != 0) return {};
    std::string out;
    std::uint64_t first = 0;
    Decimal arc;
    bool begins = true;
    bool is_first = true;
    for (const auto octet : content) {
        if (begins && octet == 0x80) return {};  // X.690 §8.19.2: no leading zero groups
        begins = (octet & 0x80U) == 0;
        if (is_first) {
            // The first two arcs share a number; beyond 2.(2^32) nothing was ever registered.
            first = (first << 7) | (octet & 0x7fU);
            if (first > std::numeric_limits<std::uint32_t>::max()) return {};
            if (begins) {
                const std::uint64_t root = std::min<std::uint64_t>(first / 40, 2);
                out = std::to_string(root) + '.' + std::to_string(first - 40 * root);
                is_first = false;
            }
            continue;
        }
        multiply_add(arc, 128, octet & 0x7fU);
        if (begins) {
            out.push_back('.');
            append(out, arc);
            arc.clear();
        }
    }
    return out;
}

std::optional<core::BytesView> unsigned_magnitude(const Element& e) noexcept {
    core::BytesView content = e.content;
    if (content.empty() || (content[0] & 0x80U) != 0) return std::nullopt;
    if (content[0] == 0 && content.size() > 1) {
        if ((content[1] & 0x80U) == 0) return std::nullopt;
        content = content.subspan(1);
    }
    return content;
}

std::optional<core::BytesView> whole_octets(const Element& e) noexcept {
    if (e.tag != bit_string || e.content.empty() || e.content[0] != 0) return std::nullopt;
    return e.content.subspan(1);
}

std::optional<bool> read_boolean(const Element& e) noexcept {
    if (e.content.size() != 1 || (e.content[0] != 0 && e.content[0] != 0xff)) return std::nullopt;
    return e.content[0] != 0;
}

std::optional<core::TimePoint> read_time(const Element& e) {
    const std::string_view text = core::as_text(e.content);
    std::size_t at = 0;
    int year = 0;
    if (e.tag == utc_time && text.size() == 13) {
        const int short_year = two_digits(text, 0);
        if (short_year < 0) return std::nullopt;
        year = short_year + (short_year >= 50 ? 1900 : 2000);  // RFC 5280 §4.1.2.5.1
        at = 2;
    } else if (e.tag == generalized_time && text.size() == 15) {
        const int century = two_digits(text, 0);
        const int short_year = two_digits(text, 2);
        if (century < 0 || short_year < 0) return std::nullopt;
        year = century * 100 + short_year;
        at = 4;
    } else {
        return std::nullopt;
    }
    if (text.back() != 'Z') return std::nullopt;
    const int month = two_digits(text, at);
    const int day = two_digits(text, at + 2);
    const int hour = two_digits(text, at + 4);
    const int minute = two_digits(text, at + 6);
    const int second = two_digits(text, at + 8);
    if (month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return core::TimePoint{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

}  // namespace postern::crypto::der
