#include "core/base/random.hpp"

#include <array>
#include <chrono>

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
    constexpr std::uint8_t hyphen = 62;  // its value as a digit; of the first digit's 64 it gives way to another
    if (octets[0] >> 2 == hyphen) octets[0] ^= 0x80;
    return base64url(octets);
}

/// 16 letters, half of them the time: see docs/architecture.md for why.
RequestId Random::request_id() {
    // In the order of its digits' values, so that ids sort as they were made.
    constexpr std::string_view alphabet = "234567abcdefghijklmnopqrstuvwxyz";
    constexpr unsigned of_time = 8, of_chance = 8, bits = 5;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    const auto time = static_cast<std::uint64_t>(since.count());
    std::array<std::uint8_t, of_chance> octets{};
    fill(octets);
    std::string out;
    out.reserve(of_time + of_chance);
    for (unsigned i = of_time; i-- > 0;) out.push_back(alphabet[(time >> (i * bits)) & 31U]);
    // 5 of each octet's 8 bits: all 32 letters are equally likely.
    for (const auto octet : octets) out.push_back(alphabet[octet & 31U]);
    return RequestId(std::move(out));
}

}  // namespace postern::core
