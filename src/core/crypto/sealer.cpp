#include "core/crypto/sealer.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <array>
#include <stdexcept>

#include "core/crypto/digest.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

constexpr std::uint8_t layout_version = 1;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t header_size = 1 + nonce_size;

using KdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, Deleter<EVP_KDF_CTX_free>>;

/// The purpose comes first, so that one label used both for sealing and for look-up hashes gives
/// two keys.
core::SecretBytes derive(const core::SecretBytes& master, std::string_view purpose, std::string_view label) {
    static EVP_KDF* const method = ::EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    const KdfCtxPtr context(::EVP_KDF_CTX_new(method));
    std::string info(purpose);
    info += ':';
    info += label;
    // OSSL_PARAM borrows without const; the library only reads.
    auto* key = const_cast<std::uint8_t*>(master.expose().data());
    char digest[] = "SHA2-256";
    const OSSL_PARAM parameters[] = {
        ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, master.expose().size()),
        ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        ::OSSL_PARAM_construct_end()};
    core::Bytes out(32);
    if (!context || ::EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) != 1) fail("HKDF");
    return core::SecretBytes(std::move(out));
}

const EVP_CIPHER* aes_256_gcm() {
    static const EVP_CIPHER* const method = ::EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    return method;
}

int as_int(std::size_t size) {
    // Sealed values are keys and passwords; a length that an int cannot hold is a programming error.
    if (size > 0x7fffffff) throw std::length_error("too long to seal");
    return static_cast<int>(size);
}

}  // namespace

Sealer::Sealer(core::SecretBytes master, core::Random& random) : master_(std::move(master)), random_(random) {
    if (master_.expose().size() != 32) throw std::invalid_argument("the master key is not 32 octets");
}

Sealer::~Sealer() = default;

core::Bytes Sealer::seal(std::string_view label, std::string_view context, core::BytesView plain) const {
    const core::SecretBytes key = derive(master_, "seal", label);
    core::Bytes out(header_size + plain.size() + tag_size);
    out[0] = layout_version;
    random_.fill(std::span(out).subspan(1, nonce_size));
    const std::span<std::uint8_t> body = std::span(out).subspan(header_size);
    const CipherCtxPtr cipher(::EVP_CIPHER_CTX_new());
    int size = 0;
    if (!cipher || ::EVP_EncryptInit_ex2(cipher.get(), aes_256_gcm(), key.expose().data(), out.data() + 1, nullptr) != 1 ||
        (!context.empty() &&
         ::EVP_EncryptUpdate(cipher.get(), nullptr, &size, core::as_bytes(context).data(), as_int(context.size())) != 1) ||
        (!plain.empty() && ::EVP_EncryptUpdate(cipher.get(), body.data(), &size, plain.data(), as_int(plain.size())) != 1) ||
        ::EVP_EncryptFinal_ex(cipher.get(), body.data() + plain.size(), &size) != 1 ||
        ::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, body.data() + plain.size()) != 1)
        fail("AES-256-GCM");
    return out;
}

std::optional<core::SecretBytes> Sealer::open(std::string_view label, std::string_view context,
                                              core::BytesView sealed) const {
    if (sealed.size() < header_size + tag_size || sealed[0] != layout_version) return std::nullopt;
    const core::SecretBytes key = derive(master_, "seal", label);
    const core::BytesView body = sealed.subspan(header_size, sealed.size() - header_size - tag_size);
    std::array<std::uint8_t, tag_size> tag{};
    std::copy(sealed.end() - tag_size, sealed.end(), tag.begin());
    core::Bytes plain(body.size() + 1);  // never empty: data() must not be null
    const CipherCtxPtr cipher(::EVP_CIPHER_CTX_new());
    int size = 0;
    if (!cipher || ::EVP_DecryptInit_ex2(cipher.get(), aes_256_gcm(), key.expose().data(), sealed.data() + 1, nullptr) != 1 ||
        (!context.empty() &&
         ::EVP_DecryptUpdate(cipher.get(), nullptr, &size, core::as_bytes(context).data(), as_int(context.size())) != 1) ||
        (!body.empty() && ::EVP_DecryptUpdate(cipher.get(), plain.data(), &size, body.data(), as_int(body.size())) != 1) ||
        ::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) != 1)
        fail("AES-256-GCM");
    const bool genuine = ::EVP_DecryptFinal_ex(cipher.get(), plain.data() + body.size(), &size) == 1;
    core::SecretBytes out(std::move(plain));  // wiped also when it is not handed out
    if (!genuine) {
        ::ERR_clear_error();
        return std::nullopt;
    }
    core::Bytes exact(out.expose().begin(), out.expose().begin() + static_cast<std::ptrdiff_t>(body.size()));
    return core::SecretBytes(std::move(exact));
}

const core::SecretBytes& Sealer::lookup_key(std::string_view label) const {
    const std::lock_guard lock(mutex_);
    auto found = lookup_keys_.find(label);
    if (found == lookup_keys_.end()) found = lookup_keys_.emplace(std::string(label), derive(master_, "lookup", label)).first;
    return found->second;  // stays where it is
}

core::Bytes Sealer::lookup_hash(std::string_view label, core::BytesView secret) const {
    return hmac(HmacHash::sha256, lookup_key(label).expose(), secret);
}

}  // namespace postern::crypto
