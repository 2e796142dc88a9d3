#pragma once
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

/// Owning handles of OpenSSL objects. Included by .cpp files of core/crypto, the TLS context and
/// ca/builtin only; everybody else sees the value types beside this file.
namespace postern::crypto {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* p) const noexcept { Free(p); }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;

/// Drains OpenSSL's error queue into "what: reason"; the queue is empty afterwards.
std::string last_error(std::string_view what);
/// Throws std::runtime_error(last_error(what)): a fault of ours, never of a client's bytes.
[[noreturn]] void fail(std::string_view what);

}  // namespace postern::crypto
