#pragma once
#include <string_view>

#include "core/crypto/key.hpp"

/// What the three curves differ in (RFC 5480, RFC 7518 §6.2, FIPS 186-4 D.1.2).
namespace postern::crypto {

struct Curve {
    KeyType type;
    std::string_view name;         ///< JWK's crv
    const char* group;             ///< OpenSSL's name
    unsigned bits;
    std::size_t width;             ///< octets of a coordinate, and of R and S in JOSE
    core::BytesView oid;           ///< content octets
    core::BytesView spki_prefix;   ///< SubjectPublicKeyInfo up to the point's 0x04
    core::BytesView order;         ///< n, `width` octets
};

/// Null for keys that are on no curve of these.
const Curve* curve_of(KeyType type) noexcept;
const Curve* curve_by_name(std::string_view crv) noexcept;
const Curve* curve_by_oid(core::BytesView oid_content) noexcept;

}  // namespace postern::crypto
