#include "core/crypto/cms_decrypt.hpp"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::SecretBytes;

PkeyCtxPtr decryption(const PrivateKey& own, int padding) {
    PkeyCtxPtr context(::EVP_PKEY_CTX_new(own.native(), nullptr));
    if (!context || ::EVP_PKEY_decrypt_init(context.get()) != 1 || ::EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) != 1)
        fail("preparing a decryption");
    return context;
}

bool usable(const PrivateKey& own) { return own.native() != nullptr && own.public_key().type() == KeyType::rsa; }

}  // namespace

UnwrappedKey unwrap_pkcs1(const PrivateKey& own, BytesView encrypted_key, SecretBytes fallback) {
    UnwrappedKey out;
    Bytes key = fallback.expose();
    if (usable(own)) {
        const auto context = decryption(own, RSA_NO_PADDING);
        Bytes encoded(static_cast<std::size_t>(::EVP_PKEY_get_size(own.native())));
        std::size_t size = encoded.size();
        // Without padding this fails for sizes and numbers beyond the modulus only, which everybody can see.
        const bool done = ::EVP_PKEY_decrypt(context.get(), encoded.data(), &size, encrypted_key.data(), encrypted_key.size()) == 1;
        ::ERR_clear_error();
        if (done && size == encoded.size()) out.good = unpad_pkcs1(encoded, key);
        core::cleanse(encoded.data(), encoded.size());
    }
    out.key = SecretBytes(std::move(key));
    return out;
}

UnwrappedKey unwrap_oaep(const PrivateKey& own, CmsDigest digest, CmsDigest mask_digest, BytesView encrypted_key, SecretBytes fallback) {
    UnwrappedKey out;
    if (!usable(own)) {
        out.key = std::move(fallback);
        return out;
    }
    // OpenSSL takes OAEP off without a branch and has one error for all that can be wrong (Manger 2001).
    const auto context = decryption(own, RSA_PKCS1_OAEP_PADDING);
    if (::EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest_method(digest)) != 1 ||
        ::EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest_method(mask_digest)) != 1)
        fail("preparing RSAES-OAEP");
    Bytes message(static_cast<std::size_t>(::EVP_PKEY_get_size(own.native())));
    std::size_t size = message.size();
    const bool done = ::EVP_PKEY_decrypt(context.get(), message.data(), &size, encrypted_key.data(), encrypted_key.size()) == 1;
    ::ERR_clear_error();
    SecretBytes found(std::move(message));
    if (done && size == fallback.expose().size()) {
        out.key = SecretBytes(core::to_bytes(BytesView(found.expose()).first(size)));
        out.good = ~Mask{0};
    } else {
        out.key = std::move(fallback);
    }
    return out;
}

std::optional<SecretBytes> decrypt_cbc(CmsCipher cipher, const SecretBytes& key, BytesView vector, BytesView encrypted, Mask key_good) {
    const CipherCtxPtr context(::EVP_CIPHER_CTX_new());
    Bytes plain(encrypted.size());
    int written = 0;
    if (!context || ::EVP_DecryptInit_ex2(context.get(), cipher_method(cipher), key.expose().data(), vector.data(), nullptr) != 1 ||
        ::EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
        ::EVP_DecryptUpdate(context.get(), plain.data(), &written, encrypted.data(), static_cast<int>(encrypted.size())) != 1 ||
        static_cast<std::size_t>(written) != plain.size())
        fail("decrypting a content");
    const BlockPadding padding = block_padding(plain, sizes_of(cipher).block);
    const bool good = (padding.good & key_good) != 0;
    SecretBytes out(Bytes(plain.begin(), plain.end() - static_cast<std::ptrdiff_t>(good ? padding.size : 0)));
    core::cleanse(plain.data(), plain.size());
    if (!good) return std::nullopt;
    return out;
}

}  // namespace postern::crypto
