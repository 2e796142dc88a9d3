#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/digest.hpp"

struct evp_pkey_st;

namespace postern::crypto {

enum class KeyType { ec_p256, ec_p384, ec_p521, ed25519, rsa };
/// "EC P-256", "RSA 2048", "Ed25519": what people and profiles write.
std::string describe(KeyType type, unsigned bits);

enum class SignatureAlgorithm {
    ecdsa_sha256, ecdsa_sha384, ecdsa_sha512, ed25519, rsa_sha256, rsa_sha384, rsa_sha512
};
/// DER of the AlgorithmIdentifier (RFC 5758, 4055, 8410).
core::BytesView algorithm_identifier(SignatureAlgorithm a) noexcept;
std::optional<SignatureAlgorithm> signature_algorithm_from(core::BytesView algorithm_identifier_der) noexcept;

/// What the key is for decides the RSA sizes: CSRs 2048–8192, accounts and CAs 2048–4096.
enum class KeyUse { csr, account, authority };

/// Immutable, cheap to copy, thread safe. Loaded through EVP_PKEY_fromdata, which costs a sixth of
/// OpenSSL's decoders.
class PublicKey {
public:
    PublicKey() = default;
    /// SubjectPublicKeyInfo DER. `bad_public_key` for another algorithm, a point off its curve or
    /// compressed or explicit parameters, RSA sizes out of range or not divisible by 8, even, small
    /// (< 65537) or huge (≥ 2^256) exponents, and breakable moduli, with the check's name (key_quality.hpp).
    static core::Result<PublicKey> from_spki(core::BytesView der, KeyUse use);
    static core::Result<PublicKey> from_ec_point(KeyType curve, core::BytesView x, core::BytesView y, KeyUse use);
    static core::Result<PublicKey> from_rsa(core::BytesView n, core::BytesView e, KeyUse use);
    static core::Result<PublicKey> from_ed25519(core::BytesView x);

    [[nodiscard]] bool valid() const noexcept { return key_ != nullptr; }
    [[nodiscard]] KeyType type() const noexcept { return type_; }
    [[nodiscard]] unsigned bits() const noexcept { return bits_; }
    [[nodiscard]] const core::Bytes& spki() const noexcept { return *spki_; }
    [[nodiscard]] Sha256 spki_sha256() const { return sha256(*spki_); }
    /// RFC 5280 §4.2.1.2 (1): SHA-1 of the BIT STRING's content.
    [[nodiscard]] core::Bytes key_identifier() const;

    /// X.509 form: ECDSA signatures as DER. False for a wrong signature or an algorithm that does not
    /// fit the key.
    [[nodiscard]] bool verify(SignatureAlgorithm a, core::BytesView data, core::BytesView signature) const;
    /// JOSE form: ECDSA as fixed-width R then S; the algorithm must be the curve's own (fits()).
    /// Where R, S or both lost one leading zero octet (Apple) it is put back; zero and out-of-range
    /// values and longer signatures are refused (J04).
    [[nodiscard]] bool verify_jose(SignatureAlgorithm a, core::BytesView data, core::BytesView signature) const;

    [[nodiscard]] evp_pkey_st* native() const noexcept { return key_.get(); }

private:
    friend class PrivateKey;
    std::shared_ptr<evp_pkey_st> key_;
    std::shared_ptr<const core::Bytes> spki_;
    KeyType type_{};
    unsigned bits_ = 0;
};

struct KeySpec {
    KeySpec() = default;
    KeySpec(KeyType t, unsigned b) : type(t), bits(b) {}
    KeyType type = KeyType::ec_p256;
    unsigned bits = 256;
    /// "ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"
    static std::optional<KeySpec> from(std::string_view text);
    [[nodiscard]] std::string to_string() const;
};

class PrivateKey {
public:
    PrivateKey() = default;
    /// RSA takes 0.2–2 s: run on the pool.
    static PrivateKey generate(KeySpec spec);
    static core::Result<PrivateKey> from_pkcs8(core::BytesView der);
    [[nodiscard]] core::SecretBytes to_pkcs8() const;
    [[nodiscard]] core::SecretText to_pem() const;
    static core::Result<PrivateKey> from_pem(std::string_view pem);

    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_; }
    [[nodiscard]] SignatureAlgorithm default_algorithm() const noexcept;
    /// X.509 form. Throws on a fault of the library.
    [[nodiscard]] core::Bytes sign(SignatureAlgorithm a, core::BytesView data) const;
    /// JOSE form (clients: bench, tests).
    [[nodiscard]] core::Bytes sign_jose(SignatureAlgorithm a, core::BytesView data) const;
    [[nodiscard]] evp_pkey_st* native() const noexcept { return key_.get(); }

private:
    /// Takes ownership in every case.
    static core::Result<PrivateKey> adopt(evp_pkey_st* owned);
    /// adopt(), and the halves belong together.
    static core::Result<PrivateKey> checked(evp_pkey_st* owned);

    std::shared_ptr<evp_pkey_st> key_;
    PublicKey public_;
};

}  // namespace postern::crypto
