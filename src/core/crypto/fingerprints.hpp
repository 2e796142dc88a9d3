#pragma once
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"

namespace postern::crypto {

class PublicKey;

/// The digests under which published lists name a key; their lengths tell them apart.
///
/// spki: SHA-256 of the SubjectPublicKeyInfo's DER (pwnedkeys.com, Boulder's blocked keys).
/// number: the first 15 octets of SHA-256 over the RSA modulus, the x of an EC point or the Ed25519 key,
/// each without leading zeros (badkeys' BKHASH120): the same whatever the exponent or the sign of y, with
/// which the key is just as well known.
/// modulus: the last 10 octets of SHA-1 over "Modulus=HEX\n" (Debian's openssl-blacklist); RSA only.
struct Fingerprints {
    Fingerprints() = default;
    core::Bytes spki;
    core::Bytes number;
    core::Bytes modulus;  ///< empty unless RSA
};
inline constexpr std::size_t spki_fingerprint_size = 32, number_fingerprint_size = 15, modulus_fingerprint_size = 10;

Fingerprints fingerprints(const PublicKey& key);

}  // namespace postern::crypto
