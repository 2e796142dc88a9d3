// core/base: every octet string has exactly one accepted text, and the texts of times and PEM
// read back as what they were written from.
#include "core/base/encoding.hpp"

#include <algorithm>

#include "core/base/time.hpp"
#include "core/crypto/certificate.hpp"
#include "core/http/message.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    return out;
}

bool check_decoders(std::string_view text) {
    const auto url = core::from_base64url(text);
    require(!url || core::base64url(*url) == text, "base64url has one text");
    require(!url || text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == text.npos,
            "base64url has 64 characters");
    const auto standard = core::from_base64(text);
    require(!standard || core::base64(*standard) == text, "base64 has one text");
    const auto hex = core::from_hex(text);
    require(!hex || core::hex(*hex) == lower(text), "hex has one text but for the letters' case");
    return url || standard || hex;
}

void check_encoders(core::BytesView bytes) {
    require(core::from_base64url(core::base64url(bytes)) == core::to_bytes(bytes), "base64url gives the octets back");
    require(core::from_base64(core::base64(bytes)) == core::to_bytes(bytes), "base64 gives the octets back");
    require(core::from_hex(core::hex(bytes)) == core::to_bytes(bytes), "hex gives the octets back");
}

bool check_times(std::string_view text) {
    const auto duration = core::parse_duration(text);
    require(!duration || (duration->count() > 0 && core::parse_duration(core::format_duration(*duration)) == duration),
            "a duration is positive and reads back");
    const auto time = core::from_rfc3339(text);
    require(!time || core::from_rfc3339(core::rfc3339(*time)) == core::floor_seconds(*time), "a time reads back to the second");
    return duration || time;
}

bool check_percent(std::string_view text) {
    const auto decoded = http::percent_decode(text);
    const auto escapes = static_cast<std::size_t>(std::ranges::count(text, '%'));
    require(!decoded || decoded->size() == text.size() - 2 * escapes, "each escape is one octet");
    return decoded.has_value();
}

bool check_pem(std::string_view text) {
    const auto blocks = crypto::from_pem("CERTIFICATE", text);
    if (!blocks) return false;
    std::string written;
    for (const auto& block : *blocks) {
        require(!block.empty(), "no block is empty");
        written += crypto::to_pem("CERTIFICATE", block);
    }
    const auto again = crypto::from_pem("CERTIFICATE", written);
    require(again && *again == *blocks, "PEM reads back");
    return !blocks->empty();
}

}  // namespace

Outcome encoding(core::BytesView input) {
    const std::string_view text = core::as_text(input);
    check_encoders(input);
    const bool decoded = check_decoders(text);
    const bool time = check_times(text);
    const bool pem = check_pem(text);
    check_percent(text);
    return outcome(decoded || time || pem);
}

}  // namespace postern::fuzz
