#include "core/crypto/cms_algorithms.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;

struct DigestRow {
    CmsDigest digest;
    std::string_view name, oid, with_rsa, with_ecdsa;
};
constexpr std::array<DigestRow, 4> digests{{
    {CmsDigest::sha1, "SHA-1", "1.3.14.3.2.26", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"},
    {CmsDigest::sha256, "SHA-256", "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2"},
    {CmsDigest::sha384, "SHA-384", "2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3"},
    {CmsDigest::sha512, "SHA-512", "2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4"},
}};
constexpr std::string_view oid_rsa_encryption = "1.2.840.113549.1.1.1";
constexpr std::string_view oid_ec_public_key = "1.2.840.10045.2.1";
constexpr std::string_view oid_sha1_with_rsa_of_oiw = "1.3.14.3.2.29";

struct CipherRow {
    CmsCipher cipher;
    std::string_view name, oid;
    CipherSizes sizes;
};
constexpr std::array<CipherRow, 4> ciphers{{
    {CmsCipher::des_ede3_cbc, "3DES", "1.2.840.113549.3.7", {24, 8}},
    {CmsCipher::aes128_cbc, "AES-128-CBC", "2.16.840.1.101.3.4.1.2", {16, 16}},
    {CmsCipher::aes192_cbc, "AES-192-CBC", "2.16.840.1.101.3.4.1.22", {24, 16}},
    {CmsCipher::aes256_cbc, "AES-256-CBC", "2.16.840.1.101.3.4.1.42", {32, 16}},
}};

struct RefusedName {
    std::string_view oid, name;
};
constexpr std::array<RefusedName, 16> refused{{
    {"1.2.840.113549.2.2", "MD2"},
    {"1.2.840.113549.2.4", "MD4"},
    {"1.2.840.113549.2.5", "MD5"},
    {"1.2.840.113549.1.1.2", "MD2 with RSA"},
    {"1.2.840.113549.1.1.4", "MD5 with RSA"},
    {"2.16.840.1.101.3.4.2.4", "SHA-224"},
    {"1.2.840.113549.1.1.14", "SHA-224 with RSA"},
    {"1.2.840.113549.1.1.10", "RSASSA-PSS"},
    {"1.3.14.3.2.7", "DES-CBC"},
    {"1.2.840.113549.3.2", "RC2-CBC"},
    {"1.2.840.113549.3.4", "RC4"},
    {"1.2.840.113533.7.66.10", "CAST5-CBC"},
    {"2.16.840.1.101.3.4.1.6", "AES-128-GCM"},
    {"2.16.840.1.101.3.4.1.26", "AES-192-GCM"},
    {"2.16.840.1.101.3.4.1.46", "AES-256-GCM"},
    {"1.2.840.113549.1.9.16.3.14", "RSA-KEM"},
}};

const DigestRow& row(CmsDigest d) { return digests[static_cast<std::size_t>(d)]; }
const CipherRow& row(CmsCipher c) { return ciphers[static_cast<std::size_t>(c)]; }

bool fits(CmsSignatureFamily family, KeyType type) {
    switch (type) {
        case KeyType::ec_p256:
        case KeyType::ec_p384:
        case KeyType::ec_p521: return family == CmsSignatureFamily::ecdsa;
        case KeyType::rsa: return family == CmsSignatureFamily::rsa;
        case KeyType::ed25519: return false;
    }
    return false;
}

}  // namespace

std::string_view to_string(CmsDigest d) noexcept { return row(d).name; }
std::string_view to_string(CmsCipher c) noexcept { return row(c).name; }
std::string_view cms_oid(CmsDigest d) noexcept { return row(d).oid; }
std::string_view cms_oid(CmsCipher c) noexcept { return row(c).oid; }
std::string_view ecdsa_oid(CmsDigest d) noexcept { return row(d).with_ecdsa; }
CipherSizes sizes_of(CmsCipher c) noexcept { return row(c).sizes; }

std::optional<CmsDigest> cms_digest_from(std::string_view oid) noexcept {
    const auto* found = std::ranges::find(digests, oid, &DigestRow::oid);
    if (found == digests.end()) return std::nullopt;
    return found->digest;
}
std::optional<CmsCipher> cms_cipher_from(std::string_view oid) noexcept {
    const auto* found = std::ranges::find(ciphers, oid, &CipherRow::oid);
    if (found == ciphers.end()) return std::nullopt;
    return found->cipher;
}

std::string algorithm_name(std::string_view oid) {
    if (const auto digest = cms_digest_from(oid)) return std::string(to_string(*digest));
    if (const auto cipher = cms_cipher_from(oid)) return std::string(to_string(*cipher));
    const auto* found = std::ranges::find(refused, oid, &RefusedName::oid);
    return std::string(found == refused.end() ? oid : found->name);
}

std::optional<CmsSignatureAlgorithm> cms_signature_from(std::string_view oid) noexcept {
    if (oid == oid_rsa_encryption) return CmsSignatureAlgorithm{CmsSignatureFamily::rsa, std::nullopt};
    if (oid == oid_ec_public_key) return CmsSignatureAlgorithm{CmsSignatureFamily::ecdsa, std::nullopt};
    if (oid == oid_sha1_with_rsa_of_oiw) return CmsSignatureAlgorithm{CmsSignatureFamily::rsa, CmsDigest::sha1};
    for (const auto& each : digests) {
        if (oid == each.with_rsa) return CmsSignatureAlgorithm{CmsSignatureFamily::rsa, each.digest};
        if (oid == each.with_ecdsa) return CmsSignatureAlgorithm{CmsSignatureFamily::ecdsa, each.digest};
    }
    return std::nullopt;
}

Bytes cms_digest(CmsDigest d, BytesView data) {
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (::EVP_Digest(data.data(), data.size(), out.data(), &size, digest_method(d), nullptr) != 1) fail("EVP_Digest");
    out.resize(size);
    return out;
}

bool cms_verify(const PublicKey& key, CmsSignatureFamily family, CmsDigest d, BytesView data, BytesView signature) {
    if (!key.valid() || !fits(family, key.type())) return false;
    const MdCtxPtr context(::EVP_MD_CTX_new());
    if (!context) fail("EVP_MD_CTX_new");
    const bool good =
        ::EVP_DigestVerifyInit(context.get(), nullptr, digest_method(d), nullptr, key.native()) == 1 &&
        ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
    if (!good) ::ERR_clear_error();
    return good;
}

Bytes cms_sign_octets(const PrivateKey& key, CmsDigest d, BytesView data) {
    if (key.native() == nullptr || key.public_key().type() == KeyType::ed25519)
        throw std::invalid_argument("CMS messages are signed with RSA or EC keys");
    const MdCtxPtr context(::EVP_MD_CTX_new());
    if (!context || ::EVP_DigestSignInit(context.get(), nullptr, digest_method(d), nullptr, key.native()) != 1) fail("EVP_DigestSignInit");
    Bytes out(static_cast<std::size_t>(::EVP_PKEY_get_size(key.native())));
    std::size_t size = out.size();
    if (::EVP_DigestSign(context.get(), out.data(), &size, data.data(), data.size()) != 1) fail("EVP_DigestSign");
    out.resize(size);
    return out;
}

}  // namespace postern::crypto
