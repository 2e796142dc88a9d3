#pragma once
#include "core/base/bytes.hpp"
#include "core/crypto/key.hpp"

namespace postern::crypto {

/// PS256 of RFC 7518 §3.5: RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 octets. A private-key
/// operation of RSA: call it on the pool. Throws std::invalid_argument for a key that is not RSA.
[[nodiscard]] core::Bytes sign_ps256(const PrivateKey& key, core::BytesView data);
/// False for a wrong signature and for a key that is not RSA.
[[nodiscard]] bool verify_ps256(const PublicKey& key, core::BytesView data, core::BytesView signature);

}  // namespace postern::crypto
