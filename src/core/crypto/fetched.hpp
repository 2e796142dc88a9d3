#pragma once
#include <openssl/evp.h>

#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/key.hpp"

/// Algorithms fetched from OpenSSL's provider once: EVP_*_fetch on every call, which is what
/// EVP_sha256() and friends amount to, costs as much as hashing a kilobyte. Never freed: they live
/// as long as the library.
namespace postern::crypto {

const EVP_MD* sha1_method();
const EVP_MD* sha256_method();
const EVP_MD* sha384_method();
const EVP_MD* sha512_method();

/// The hash of a signature algorithm; null for Ed25519, which takes the message itself.
const EVP_MD* hash_method(SignatureAlgorithm a);

const EVP_MD* digest_method(CmsDigest d);
const EVP_CIPHER* cipher_method(CmsCipher c);

}  // namespace postern::crypto
