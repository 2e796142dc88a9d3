#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

namespace postern::crypto {

/// Why anybody can find the private key of a well-formed RSA key.
struct KeyWeakness {
    KeyWeakness(std::string_view c, std::string d) : check(c), detail(std::move(d)) {}
    std::string_view check;  ///< "key.quality.fermat": what refusals and traces name
    std::string detail;
};

inline constexpr std::string_view check_small_factor = "key.quality.small_factor";
inline constexpr std::string_view check_roca = "key.quality.roca";
inline constexpr std::string_view check_fermat = "key.quality.fermat";

/// The breakable moduli of BR 6.1.1.3, cheapest first: a prime factor up to 751, the fingerprint of
/// Infineon's generator (CVE-2017-15361), and 100 rounds of Fermat's factorization, which find primes
/// close together (CVE-2022-26320) and squares. Big-endian, any size; tens of microseconds at 4096
/// bits. What only a list can know, such as the keys of CVE-2008-0166, is not looked for here.
std::optional<KeyWeakness> rsa_weakness(core::BytesView modulus);

}  // namespace postern::crypto
