#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/der.hpp"
#include "core/crypto/key.hpp"

/// Algorithms of CMS messages (RFC 3370, 5754, 3565). Closed lists: what is not here (MD5, DES, RC2,
/// RC4, GCM, RSASSA-PSS) can be named in a refusal and never used. SHA-1 and 3DES are here for those
/// whose policy allows them.
namespace postern::crypto {

enum class CmsDigest { sha1, sha256, sha384, sha512 };
enum class CmsCipher { des_ede3_cbc, aes128_cbc, aes192_cbc, aes256_cbc };

std::string_view to_string(CmsDigest d) noexcept;  ///< "SHA-256"
std::string_view to_string(CmsCipher c) noexcept;  ///< "AES-128-CBC"

std::string_view cms_oid(CmsDigest d) noexcept;
std::string_view cms_oid(CmsCipher c) noexcept;
/// ecdsa-with-SHA… of that digest.
std::string_view ecdsa_oid(CmsDigest d) noexcept;
std::optional<CmsDigest> cms_digest_from(std::string_view oid) noexcept;
std::optional<CmsCipher> cms_cipher_from(std::string_view oid) noexcept;

struct CipherSizes {
    std::size_t key;
    std::size_t block;  ///< of the initialization vector, too
};
CipherSizes sizes_of(CmsCipher c) noexcept;

/// "DES-CBC" for 1.3.14.3.2.7: what people call an algorithm that is refused; else the OID itself.
std::string algorithm_name(std::string_view oid);

/// A SignerInfo's signatureAlgorithm.
enum class CmsSignatureFamily { rsa, ecdsa };
struct CmsSignatureAlgorithm {
    CmsSignatureFamily family = CmsSignatureFamily::rsa;
    /// Nothing where the OID names the key's algorithm alone (rsaEncryption), so that the
    /// digestAlgorithm decides.
    std::optional<CmsDigest> digest;
};
std::optional<CmsSignatureAlgorithm> cms_signature_from(std::string_view oid) noexcept;

/// Digest of the data.
core::Bytes cms_digest(CmsDigest d, core::BytesView data);
/// Over the data; false for a wrong signature or a key of another family.
bool cms_verify(const PublicKey& key, CmsSignatureFamily family, CmsDigest d, core::BytesView data, core::BytesView signature);
/// RSA or ECDSA, after the key's type. Throws for Ed25519 and on a fault of the library.
core::Bytes cms_sign_octets(const PrivateKey& key, CmsDigest d, core::BytesView data);

}  // namespace postern::crypto
