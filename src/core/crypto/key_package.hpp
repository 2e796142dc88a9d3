#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/cms_algorithms.hpp"

/// A private key on its way to who asked for it, encrypted (RFC 5958, RFC 7030 §4.4.2).
namespace postern::crypto {

/// AsymmetricKeyPackage with this one key.
core::SecretBytes key_package(const core::SecretBytes& pkcs8);
inline constexpr std::string_view oid_key_package = "2.16.840.1.101.2.1.2.78.5";

/// EnvelopedData over a SignedData (`signed_data`: the ContentInfo that has it) for the key in a certificate, which it names by
/// subjectKeyIdentifier where there is one: key transport for RSA (RSAES-PKCS1-v1_5), key agreement for EC (RFC 5753).
/// Cost: one public-key operation; run it on the pool. Errors: unsupported (another kind of key), malformed (no certificate).
core::Result<core::Bytes> envelope_for(const core::SecretBytes& signed_data, core::BytesView certificate, CmsCipher cipher);

/// The strongest AES in CBC mode that the OIDs name, as the cipher itself or as its key wrap; nullopt: none.
std::optional<CmsCipher> envelope_cipher(std::span<const std::string> capabilities);

}  // namespace postern::crypto
