#include "core/crypto/fetched.hpp"

#include <array>

#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

const EVP_MD* fetch(const char* name) {
    const EVP_MD* method = ::EVP_MD_fetch(nullptr, name, nullptr);
    if (method == nullptr) fail(std::string("OpenSSL has no ") + name);
    return method;
}

const EVP_CIPHER* fetch_cipher(const char* name) {
    const EVP_CIPHER* method = ::EVP_CIPHER_fetch(nullptr, name, nullptr);
    if (method == nullptr) fail(std::string("OpenSSL has no ") + name);
    return method;
}

}  // namespace

const EVP_MD* sha1_method() {
    static const EVP_MD* const method = fetch("SHA1");
    return method;
}
const EVP_MD* sha256_method() {
    static const EVP_MD* const method = fetch("SHA2-256");
    return method;
}
const EVP_MD* sha384_method() {
    static const EVP_MD* const method = fetch("SHA2-384");
    return method;
}
const EVP_MD* sha512_method() {
    static const EVP_MD* const method = fetch("SHA2-512");
    return method;
}

const EVP_MD* hash_method(SignatureAlgorithm a) {
    switch (a) {
        case SignatureAlgorithm::ecdsa_sha256:
        case SignatureAlgorithm::rsa_sha256: return sha256_method();
        case SignatureAlgorithm::ecdsa_sha384:
        case SignatureAlgorithm::rsa_sha384: return sha384_method();
        case SignatureAlgorithm::ecdsa_sha512:
        case SignatureAlgorithm::rsa_sha512: return sha512_method();
        case SignatureAlgorithm::ed25519: return nullptr;
    }
    return nullptr;
}

const EVP_MD* digest_method(CmsDigest d) {
    switch (d) {
        case CmsDigest::sha1: return sha1_method();
        case CmsDigest::sha256: return sha256_method();
        case CmsDigest::sha384: return sha384_method();
        case CmsDigest::sha512: return sha512_method();
    }
    return nullptr;
}

const EVP_CIPHER* cipher_method(CmsCipher c) {
    static const std::array<const EVP_CIPHER*, 4> methods{fetch_cipher("DES-EDE3-CBC"), fetch_cipher("AES-128-CBC"),
                                                          fetch_cipher("AES-192-CBC"), fetch_cipher("AES-256-CBC")};
    return methods[static_cast<std::size_t>(c)];
}

}  // namespace postern::crypto
