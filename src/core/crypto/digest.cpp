#include "core/crypto/digest.hpp"

#include <openssl/core_names.h>

#include "core/crypto/fetched.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

template <std::size_t Size>
std::array<std::uint8_t, Size> digest(const EVP_MD* method, core::BytesView data) {
    std::array<std::uint8_t, Size> out{};
    unsigned size = 0;
    if (::EVP_Digest(data.data(), data.size(), out.data(), &size, method, nullptr) != 1 || size != Size)
        fail("EVP_Digest");
    return out;
}

using MacPtr = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;

const char* name_of(HmacHash hash) {
    switch (hash) {
        case HmacHash::sha256: return "SHA2-256";
        case HmacHash::sha384: return "SHA2-384";
        case HmacHash::sha512: return "SHA2-512";
    }
    return "";
}

}  // namespace

Sha256 sha256(core::BytesView data) { return digest<32>(sha256_method(), data); }

std::array<std::uint8_t, 20> sha1(core::BytesView data) { return digest<20>(sha1_method(), data); }

core::Bytes hmac(HmacHash hash, core::BytesView key, core::BytesView data) {
    static EVP_MAC* const method = ::EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    const MacPtr context(::EVP_MAC_CTX_new(method));
    // OSSL_PARAM borrows without const; the library only reads.
    const OSSL_PARAM parameters[] = {
        ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(name_of(hash)), 0),
        ::OSSL_PARAM_construct_end()};
    // A null key pointer means "the key set before"; an empty key is a key.
    const std::uint8_t empty = 0;
    const std::uint8_t* octets = key.empty() ? &empty : key.data();
    core::Bytes out(EVP_MAX_MD_SIZE);
    std::size_t size = 0;
    if (!context || ::EVP_MAC_init(context.get(), octets, key.size(), parameters) != 1 ||
        ::EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
        ::EVP_MAC_final(context.get(), out.data(), &size, out.size()) != 1)
        fail("HMAC");
    out.resize(size);
    return out;
}

StreamDigest::StreamDigest() {
    MdCtxPtr context(::EVP_MD_CTX_new());
    if (!context || ::EVP_DigestInit_ex(context.get(), sha256_method(), nullptr) != 1) fail("SHA-256");
    context_ = context.release();
}

StreamDigest::~StreamDigest() { ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

StreamDigest& StreamDigest::add(core::BytesView piece) {
    if (::EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), piece.data(), piece.size()) != 1) fail("SHA-256");
    return *this;
}

Sha256 StreamDigest::finish() {
    Sha256 out{};
    unsigned size = 0;
    if (::EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), &size) != 1) fail("SHA-256");
    return out;
}

PartsDigest& PartsDigest::add(core::BytesView part) {
    std::array<std::uint8_t, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i)
        length[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(part.size()) >> (56 - 8 * i));
    stream_.add(core::BytesView(length)).add(part);
    return *this;
}

PartsDigest& PartsDigest::add(std::int64_t number) {
    std::array<std::uint8_t, 8> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number) >> (56 - 8 * i));
    return add(core::BytesView(octets));
}

Sha256 PartsDigest::finish() { return stream_.finish(); }

}  // namespace postern::crypto
