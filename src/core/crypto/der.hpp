#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

/// Distinguished encoding rules (X.690): a strict reader over borrowed bytes and an appending
/// writer. BER forms, overlong lengths and trailing bytes are refused (X19).
namespace postern::crypto::der {

enum Tag : std::uint8_t {
    boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04, null = 0x05, oid = 0x06,
    utf8_string = 0x0c, sequence = 0x30, set = 0x31, printable_string = 0x13, t61_string = 0x14,
    ia5_string = 0x16, bmp_string = 0x1e,
    utc_time = 0x17, generalized_time = 0x18, enumerated = 0x0a,
};
constexpr std::uint8_t context(unsigned n) { return static_cast<std::uint8_t>(0x80U | n); }
constexpr std::uint8_t context_constructed(unsigned n) { return static_cast<std::uint8_t>(0xa0U | n); }

struct Element {
    Element() = default;
    std::uint8_t tag = 0;
    core::BytesView content;
    core::BytesView whole;  ///< tag, length and content
};

class Reader {
public:
    explicit Reader(core::BytesView bytes) : rest_(bytes) {}
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::uint8_t peek() const noexcept { return rest_.empty() ? 0 : rest_.front(); }
    /// nullopt at the end or for anything that is not DER.
    std::optional<Element> next() noexcept;
    /// next(), and its tag must be this one.
    std::optional<Element> next(std::uint8_t tag) noexcept;

private:
    core::BytesView rest_;
};

/// Whether this is one DER value and so is all within it (X19): definite lengths in the fewest octets,
/// primitive strings, minimal INTEGERs, BOOLEANs of 00 or FF, at most 32 levels. Neither the order of
/// a SET nor values equal to a default are looked at, which widely used encoders get wrong; nothing is
/// copied from such bytes. What an OCTET STRING or a context-specific primitive wraps is not entered.
bool is_der(core::BytesView bytes) noexcept;

/// Content octets of an OBJECT IDENTIFIER from dotted text, e.g. "2.5.29.17"; throws for junk.
core::Bytes oid_content(std::string_view dotted);
/// Empty for content that is no OBJECT IDENTIFIER, or one longer than anybody needs (100 octets).
std::string oid_text(core::BytesView content);
/// INTEGER or ENUMERATED: the magnitude without a leading zero ({0} for zero); nullopt for a
/// negative or not minimally encoded one.
std::optional<core::BytesView> unsigned_magnitude(const Element& e) noexcept;
/// BIT STRING of whole octets, without the count of unused bits.
std::optional<core::BytesView> whole_octets(const Element& e) noexcept;
std::optional<bool> read_boolean(const Element& e) noexcept;
/// UTCTime or GeneralizedTime in DER's Zulu form.
std::optional<core::TimePoint> read_time(const Element& e);

/// Appends; nested values by begin/end, lengths are patched in.
class Writer {
public:
    Writer() { out_.reserve(1024); }
    Writer& begin(std::uint8_t tag);
    Writer& end();
    Writer& raw(core::BytesView bytes);
    Writer& primitive(std::uint8_t tag, core::BytesView content);
    Writer& text(std::uint8_t tag, std::string_view content) { return primitive(tag, core::as_bytes(content)); }
    Writer& oid(std::string_view dotted);
    /// Unsigned big-endian magnitude as a minimal positive INTEGER.
    Writer& unsigned_integer(core::BytesView magnitude);
    Writer& small_integer(std::int64_t value);
    Writer& boolean_true();
    Writer& bits(core::BytesView content, unsigned unused = 0);
    /// UTCTime before 2050, GeneralizedTime from then on (RFC 5280 §4.1.2.5).
    Writer& time(core::TimePoint t);
    [[nodiscard]] const core::Bytes& bytes() const noexcept { return out_; }
    [[nodiscard]] core::Bytes take() { return std::move(out_); }

private:
    core::Bytes out_;
    std::vector<std::size_t> open_;
};

}  // namespace postern::crypto::der
