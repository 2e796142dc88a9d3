#include "core/crypto/rsa_pss.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "core/crypto/handles.hpp"

namespace postern::crypto {

namespace {

/// Padding and salt; the hash of MGF1 is that of the message.
bool set_pss(EVP_PKEY_CTX* parameters) {
    return ::EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           ::EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

core::Bytes sign_ps256(const PrivateKey& key, core::BytesView data) {
    if (key.native() == nullptr || key.public_key().type() != KeyType::rsa) throw std::invalid_argument("PS256 wants an RSA key");
    const MdCtxPtr context(::EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;  // the context's
    if (!context || ::EVP_DigestSignInit(context.get(), &parameters, ::EVP_sha256(), nullptr, key.native()) != 1 || !set_pss(parameters))
        fail("EVP_DigestSignInit");
    core::Bytes out(static_cast<std::size_t>(::EVP_PKEY_get_size(key.native())));
    std::size_t size = out.size();
    if (::EVP_DigestSign(context.get(), out.data(), &size, data.data(), data.size()) != 1) fail("EVP_DigestSign");
    out.resize(size);
    return out;
}

bool verify_ps256(const PublicKey& key, core::BytesView data, core::BytesView signature) {
    if (!key.valid() || key.type() != KeyType::rsa) return false;
    const MdCtxPtr context(::EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    if (!context || ::EVP_DigestVerifyInit(context.get(), &parameters, ::EVP_sha256(), nullptr, key.native()) != 1 || !set_pss(parameters))
        fail("EVP_DigestVerifyInit");
    const bool good = ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
    if (!good) ::ERR_clear_error();
    return good;
}

}  // namespace postern::crypto
