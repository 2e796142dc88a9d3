#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/crypto/certificate.hpp"
#include "core/crypto/curves.hpp"
#include "core/crypto/handles.hpp"
#include "core/crypto/key.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

struct SpecName {
    std::string_view name;
    KeyType type;
    unsigned bits;
};
constexpr std::array<SpecName, 7> spec_names{{{"ec-p256", KeyType::ec_p256, 256},
                                              {"ec-p384", KeyType::ec_p384, 384},
                                              {"ec-p521", KeyType::ec_p521, 521},
                                              {"ed25519", KeyType::ed25519, 256},
                                              {"rsa-2048", KeyType::rsa, 2048},
                                              {"rsa-3072", KeyType::rsa, 3072},
                                              {"rsa-4096", KeyType::rsa, 4096}}};

Bytes number(EVP_PKEY* key, const char* name, std::size_t width) {
    BIGNUM* raw = nullptr;
    if (::EVP_PKEY_get_bn_param(key, name, &raw) != 1) fail("EVP_PKEY_get_bn_param");
    const NumberPtr value(raw);
    Bytes out(std::max(width, static_cast<std::size_t>(BN_num_bytes(value.get()))));
    if (::BN_bn2binpad(value.get(), out.data(), static_cast<int>(out.size())) < 0) fail("BN_bn2binpad");
    return out;
}

/// The public half, from the private key's own numbers and through the same checks as a stranger's.
core::Result<PublicKey> public_half(EVP_PKEY* key) {
    if (::EVP_PKEY_is_a(key, "RSA") == 1)
        return PublicKey::from_rsa(number(key, OSSL_PKEY_PARAM_RSA_N, 0), number(key, OSSL_PKEY_PARAM_RSA_E, 0), KeyUse::authority);
    if (::EVP_PKEY_is_a(key, "ED25519") == 1) {
        Bytes x(32);
        std::size_t size = x.size();
        if (::EVP_PKEY_get_raw_public_key(key, x.data(), &size) != 1) fail("EVP_PKEY_get_raw_public_key");
        return PublicKey::from_ed25519(x);
    }
    if (::EVP_PKEY_is_a(key, "EC") == 1) {
        std::array<char, 64> group{};
        std::size_t size = 0;
        if (::EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) ::ERR_clear_error();
        const std::string_view name(group.data());
        const KeyType type = name == "prime256v1" ? KeyType::ec_p256 : name == "secp384r1" ? KeyType::ec_p384 : KeyType::ec_p521;
        if (type != KeyType::ec_p521 || name == "secp521r1") {
            const std::size_t width = curve_of(type)->width;
            return PublicKey::from_ec_point(type, number(key, OSSL_PKEY_PARAM_EC_PUB_X, width),
                                            number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width), KeyUse::authority);
        }
        return Problem{ProblemKind::bad_public_key, "the private key's curve is not supported; use P-256, P-384 or P-521"};
    }
    return Problem{ProblemKind::bad_public_key,
                   "the private key's algorithm is not supported; use RSA, EC P-256, P-384, P-521 or Ed25519"};
}

/// Never asks the terminal; notes that the file wanted a passphrase.
int refuse_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

}  // namespace

std::optional<KeySpec> KeySpec::from(std::string_view text) {
    const auto* found = std::ranges::find(spec_names, text, &SpecName::name);
    if (found == spec_names.end()) return std::nullopt;
    return KeySpec(found->type, found->bits);
}

std::string KeySpec::to_string() const {
    for (const auto& known : spec_names)
        if (known.type == type && (type != KeyType::rsa || known.bits == bits)) return std::string(known.name);
    return "rsa-" + std::to_string(bits);
}

core::Result<PrivateKey> PrivateKey::adopt(evp_pkey_st* owned) {
    PrivateKey key;
    key.key_ = std::shared_ptr<EVP_PKEY>(owned, [](EVP_PKEY* p) { ::EVP_PKEY_free(p); });
    auto half = public_half(owned);
    if (!half) return half.error();
    key.public_ = std::move(*half);
    return key;
}

PrivateKey PrivateKey::generate(KeySpec spec) {
    EVP_PKEY* made = nullptr;
    if (const Curve* curve = curve_of(spec.type))
        made = EVP_EC_gen(curve->group);
    else if (spec.type == KeyType::ed25519)
        made = ::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    else
        made = EVP_RSA_gen(spec.bits);
    if (made == nullptr) fail("making a key");
    auto key = adopt(made);
    if (!key) throw std::invalid_argument(key.error().detail);
    return std::move(*key);
}

core::Result<PrivateKey> PrivateKey::checked(evp_pkey_st* owned) {
    auto key = adopt(owned);
    if (!key) return key;
    // One signature shows that both halves belong together, which a damaged file or a public key
    // pasted from elsewhere would not survive; OpenSSL's own check of an RSA key takes far longer.
    const Bytes probe(32);
    const SignatureAlgorithm algorithm = key->default_algorithm();
    if (!key->public_key().verify(algorithm, probe, key->sign(algorithm, probe)))
        return Problem{ProblemKind::malformed, "the private key does not belong to the public key stored with it"};
    return key;
}

core::Result<PrivateKey> PrivateKey::from_pkcs8(BytesView der) {
    const unsigned char* at = der.data();
    const Pkcs8Ptr info(::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    EVP_PKEY* key = info && at == der.data() + der.size() ? ::EVP_PKCS82PKEY(info.get()) : nullptr;
    if (key == nullptr) {
        ::ERR_clear_error();
        return Problem{ProblemKind::malformed, "not the DER of one unencrypted PKCS #8 private key"};
    }
    return checked(key);
}

core::Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
    const BioPtr in(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!in) fail("BIO_new_mem_buf");
    bool asked = false;
    EVP_PKEY* key = ::PEM_read_bio_PrivateKey(in.get(), nullptr, &refuse_passphrase, &asked);
    if (key == nullptr) {
        ::ERR_clear_error();
        return Problem{ProblemKind::malformed,
                       asked ? "the private key is encrypted; store it without a passphrase (openssl pkey -in KEY)"
                             : "no private key in PEM found; it begins with -----BEGIN PRIVATE KEY-----"};
    }
    return checked(key);
}

core::SecretBytes PrivateKey::to_pkcs8() const {
    const Pkcs8Ptr info(::EVP_PKEY2PKCS8(key_.get()));
    unsigned char* raw = nullptr;
    const int size = info ? ::i2d_PKCS8_PRIV_KEY_INFO(info.get(), &raw) : -1;
    if (size <= 0) fail("i2d_PKCS8_PRIV_KEY_INFO");
    core::SecretBytes out(Bytes(raw, raw + size));
    ::OPENSSL_clear_free(raw, static_cast<std::size_t>(size));
    return out;
}

core::SecretText PrivateKey::to_pem() const { return core::SecretText(crypto::to_pem("PRIVATE KEY", to_pkcs8().expose())); }

SignatureAlgorithm PrivateKey::default_algorithm() const noexcept {
    switch (public_.type()) {
        case KeyType::ec_p256: return SignatureAlgorithm::ecdsa_sha256;
        case KeyType::ec_p384: return SignatureAlgorithm::ecdsa_sha384;
        case KeyType::ec_p521: return SignatureAlgorithm::ecdsa_sha512;
        case KeyType::ed25519: return SignatureAlgorithm::ed25519;
        case KeyType::rsa: return SignatureAlgorithm::rsa_sha256;
    }
    return SignatureAlgorithm::ecdsa_sha256;
}

}  // namespace postern::crypto
