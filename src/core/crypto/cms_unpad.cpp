#include "core/crypto/cms_unpad.hpp"

namespace postern::crypto {
namespace {

/// Hides from the compiler what it could make a branch of.
std::uint64_t opaque(std::uint64_t value) noexcept {
    asm("" : "+r"(value));
    return value;
}

/// All ones when zero.
Mask if_zero(std::uint64_t value) noexcept { return opaque(0 - ((~value & (value - 1)) >> 63)); }
Mask if_equal(std::uint64_t a, std::uint64_t b) noexcept { return if_zero(a ^ b); }
/// All ones when a < b; both below 2^63.
Mask if_less(std::uint64_t a, std::uint64_t b) noexcept { return opaque(0 - ((a - b) >> 63)); }
std::uint8_t select(Mask which, std::uint8_t a, std::uint8_t b) noexcept {
    return static_cast<std::uint8_t>((which & a) | (~which & b));
}

}  // namespace

Mask unpad_pkcs1(core::BytesView encoded, std::span<std::uint8_t> message) noexcept {
    const std::size_t begin = encoded.size() - message.size();
    Mask good = if_zero(encoded[0]) & if_equal(encoded[1], 2) & if_zero(encoded[begin - 1]);
    for (std::size_t i = 2; i < begin - 1; ++i) good &= ~if_zero(encoded[i]);
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = select(good, encoded[begin + i], message[i]);
    return good;
}

BlockPadding block_padding(core::BytesView padded, std::size_t block) noexcept {
    const std::uint64_t size = padded.back();
    Mask good = ~if_zero(size) & ~if_less(block, size);
    for (std::size_t i = 0; i < block; ++i) {
        const Mask within = if_less(i, size);
        good &= ~within | if_equal(padded[padded.size() - 1 - i], size);
    }
    return {good, static_cast<std::size_t>(good & size)};
}

}  // namespace postern::crypto
