#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/key.hpp"
#include "core/json/reader.hpp"

namespace postern::crypto {

/// JOSE algorithm names that account keys may use: ES256 ES384 ES512 RS256 EdDSA.
struct JoseAlgorithm {
    std::string_view name;
    SignatureAlgorithm algorithm;
};
std::span<const JoseAlgorithm> jose_algorithms() noexcept;
std::optional<SignatureAlgorithm> jose_algorithm(std::string_view name) noexcept;
/// ES256 goes with P-256 only, and so on.
bool fits(SignatureAlgorithm a, const PublicKey& key) noexcept;

struct Jwk {
    Jwk() = default;
    PublicKey key;
    std::string canonical;   ///< RFC 7638 §3.2 members, lexicographic, no white space
    std::string thumbprint;  ///< base64url(SHA-256(canonical)), 43 characters
};
/// `bad_public_key` for private members, a point off the curve, or a size or exponent out of range,
/// a `use` other than "sig" or an `alg` that is not the key's; `malformed` for anything that is no JWK
/// (RFC 7517, 7518 §6, 8037).
core::Result<Jwk> parse_jwk(const json::Value& object);
core::Result<Jwk> parse_jwk(std::string_view json_text);
/// The canonical form of a public key, for clients of ours.
std::string to_jwk(const PublicKey& key);

}  // namespace postern::crypto
