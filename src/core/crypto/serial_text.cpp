#include "core/crypto/serial_text.hpp"

#include <algorithm>
#include <string>

#include "core/base/encoding.hpp"

namespace postern::crypto {
namespace {

constexpr std::size_t longest_serial = 20;

std::string bare_digits(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    std::string out(text);
    std::erase(out, ':');
    return out;
}

std::optional<core::Bytes> of_size(std::string_view text, std::size_t octets) {
    const auto digits = bare_digits(text);
    return digits.size() == 2 * octets ? core::from_hex(digits) : std::nullopt;
}

}  // namespace

std::optional<core::Bytes> serial_from_text(std::string_view text) {
    auto digits = bare_digits(text);
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.empty() || digits.size() > 2 * longest_serial) return std::nullopt;
    if (digits.size() % 2 != 0) digits.insert(digits.begin(), '0');
    return core::from_hex(digits);
}

std::optional<core::Bytes> key_id_from_text(std::string_view text) { return of_size(text, 20); }

std::optional<core::Bytes> sha256_from_text(std::string_view text) { return of_size(text, 32); }

}  // namespace postern::crypto
