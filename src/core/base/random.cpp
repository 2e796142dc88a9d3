#include "core/base/random.hpp"

#include <array>

#include "core/base/encoding.hpp"

namespace postern::core {

Bytes Random::bytes(std::size_t n) {
    Bytes out(n);
    fill(out);
    return out;
}

std::string Random::token() {
    std::array<std::uint8_t, 16> octets{};
    fill(octets);
    return base64url(octets);
}

RequestId Random::request_id() {
    // 5 of each octet's 8 bits: all 32 letters are equally likely.
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    std::array<std::uint8_t, 16> octets{};
    fill(octets);
    std::string out;
    out.reserve(octets.size());
    for (const auto octet : octets) out.push_back(alphabet[octet & 31U]);
    return RequestId(std::move(out));
}

}  // namespace postern::core
