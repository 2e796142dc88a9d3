#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include "core/crypto/der.hpp"

namespace postern::crypto::der {
namespace {

/// What oid_text() makes of the 100 octets that it reads is no longer: ".127" an octet.
constexpr std::size_t longest_oid_text = 400;

/// Length octets of X.690 §10.1.
struct Length {
    std::array<std::uint8_t, 9> octets{};
    std::size_t size = 0;
};

Length encode_length(std::size_t length) {
    Length out;
    if (length < 0x80) {
        out.octets[0] = static_cast<std::uint8_t>(length);
        out.size = 1;
        return out;
    }
    std::size_t count = 0;
    for (std::size_t rest = length; rest != 0; rest >>= 8) ++count;
    out.octets[0] = static_cast<std::uint8_t>(0x80U | count);
    for (std::size_t i = 0; i < count; ++i) out.octets[1 + i] = static_cast<std::uint8_t>(length >> (8 * (count - 1 - i)));
    out.size = 1 + count;
    return out;
}

[[noreturn]] void refuse_oid(std::string_view dotted) {
    throw std::invalid_argument("not an object identifier: \"" + std::string(dotted) + "\"");
}

/// Digits of one arc, most significant first; consumed by repeated division.
using Digits = std::vector<std::uint8_t>;

unsigned divide_by_128(Digits& digits) {
    unsigned remainder = 0;
    Digits quotient;
    for (const auto digit : digits) {
        remainder = remainder * 10 + digit;
        const unsigned q = remainder / 128;
        remainder %= 128;
        if (!quotient.empty() || q != 0) quotient.push_back(static_cast<std::uint8_t>(q));
    }
    digits = std::move(quotient);
    return remainder;
}

void append_base128(core::Bytes& out, Digits digits) {
    core::Bytes groups;
    do groups.push_back(static_cast<std::uint8_t>(divide_by_128(digits)));
    while (!digits.empty());
    for (std::size_t i = groups.size(); i-- > 0;) out.push_back(static_cast<std::uint8_t>(groups[i] | (i != 0 ? 0x80U : 0U)));
}

Digits digits_of(std::string_view arc, std::string_view dotted) {
    if (arc.empty() || (arc.size() > 1 && arc[0] == '0')) refuse_oid(dotted);
    Digits out;
    for (const char c : arc) {
        if (c < '0' || c > '9') refuse_oid(dotted);
        out.push_back(static_cast<std::uint8_t>(c - '0'));
    }
    return out;
}

}  // namespace

core::Bytes oid_content(std::string_view dotted) {
    if (dotted.size() > longest_oid_text) refuse_oid(dotted);
    std::vector<std::string_view> arcs;
    std::string_view rest = dotted;
    for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
        arcs.push_back(rest.substr(0, dot));
        rest.remove_prefix(dot + 1);
    }
    arcs.push_back(rest);
    if (arcs.size() < 2 || arcs[0].size() != 1 || arcs[0][0] < '0' || arcs[0][0] > '2' || arcs[1].size() > 10)
        refuse_oid(dotted);

    const auto root = static_cast<std::uint64_t>(arcs[0][0] - '0');
    std::uint64_t second = 0;
    for (const auto digit : digits_of(arcs[1], dotted)) second = second * 10 + digit;
    // The bound of what oid_text() reads.
    if ((root < 2 && second >= 40) || root * 40 + second > std::numeric_limits<std::uint32_t>::max()) refuse_oid(dotted);

    core::Bytes out;
    append_base128(out, digits_of(std::to_string(root * 40 + second), dotted));
    for (std::size_t i = 2; i < arcs.size(); ++i) append_base128(out, digits_of(arcs[i], dotted));
    return out;
}

Writer& Writer::begin(std::uint8_t tag) {
    out_.push_back(tag);
    out_.push_back(0);  // one octet of length; end() makes room for more
    open_.push_back(out_.size());
    return *this;
}

Writer& Writer::end() {
    if (open_.empty()) throw std::logic_error("der::Writer: end() without begin()");
    const std::size_t start = open_.back();
    open_.pop_back();
    const Length length = encode_length(out_.size() - start);
    out_[start - 1] = length.octets[0];
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), length.octets.begin() + 1,
                length.octets.begin() + static_cast<std::ptrdiff_t>(length.size));
    return *this;
}

Writer& Writer::raw(core::BytesView bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    return *this;
}

Writer& Writer::primitive(std::uint8_t tag, core::BytesView content) {
    out_.push_back(tag);
    const Length length = encode_length(content.size());
    out_.insert(out_.end(), length.octets.begin(), length.octets.begin() + static_cast<std::ptrdiff_t>(length.size));
    return raw(content);
}

Writer& Writer::oid(std::string_view dotted) { return primitive(Tag::oid, oid_content(dotted)); }

Writer& Writer::unsigned_integer(core::BytesView magnitude) {
    while (magnitude.size() > 1 && magnitude.front() == 0) magnitude = magnitude.subspan(1);
    begin(integer);
    if (magnitude.empty() || (magnitude.front() & 0x80U) != 0) out_.push_back(0);
    return raw(magnitude).end();
}

Writer& Writer::small_integer(std::int64_t value) {
    std::array<std::uint8_t, 8> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (56 - 8 * i));
    // Two's complement in the fewest octets: nine equal leading bits are one octet too many.
    core::BytesView shortest(octets);
    while (shortest.size() > 1 && ((shortest[0] == 0x00 && (shortest[1] & 0x80U) == 0) ||
                                   (shortest[0] == 0xff && (shortest[1] & 0x80U) != 0)))
        shortest = shortest.subspan(1);
    return primitive(integer, shortest);
}

Writer& Writer::boolean_true() {
    const std::uint8_t yes = 0xff;
    return primitive(boolean, core::BytesView(&yes, 1));
}

Writer& Writer::bits(core::BytesView content, unsigned unused) {
    begin(bit_string);
    out_.push_back(static_cast<std::uint8_t>(unused));
    return raw(content).end();
}

Writer& Writer::time(core::TimePoint t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    const auto midnight = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::hh_mm_ss clock{seconds - midnight};
    const int year = static_cast<int>(date.year());
    if (year < 1950 || year > 9999) throw std::out_of_range("a certificate cannot hold a time in the year " + std::to_string(year));
    std::array<char, 40> out{};
    const int size = std::snprintf(out.data(), out.size(), "%04d%02u%02u%02d%02d%02dZ", year, static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                   static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    const std::string_view whole(out.data(), static_cast<std::size_t>(size));
    return year < 2050 ? text(utc_time, whole.substr(2)) : text(generalized_time, whole);
}

}  // namespace postern::crypto::der
