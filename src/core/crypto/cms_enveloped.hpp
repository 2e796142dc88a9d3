#pragma once
#include <optional>
#include <span>
#include <vector>

#include "core/base/random.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/cms_certificate.hpp"

namespace postern::crypto {

/// A CMS EnvelopedData over id-data (RFC 5652 §6) for RSA recipients, read from BER or DER.
///
/// Bounds: 256 KiB, 16 recipients. Key agreement, key-encryption keys, passwords and other kinds of
/// recipients (KARI, KEKRI, PWRI, ORI) are refused for the whole message, AuthEnvelopedData by its type.
class CmsEnvelopedData {
public:
    CmsEnvelopedData() = default;
    /// Errors: malformed; unsupported (a kind of recipient). A cipher that is not supported is no error
    /// yet, so that policy can name it.
    static core::Result<CmsEnvelopedData> parse(core::BytesView message);

    [[nodiscard]] const std::string& cipher_oid() const noexcept { return cipher_oid_; }
    [[nodiscard]] std::optional<CmsCipher> cipher() const noexcept { return cms_cipher_from(cipher_oid_); }

    /// Which of the keys the message names as a recipient; the first one found. No private key is used.
    [[nodiscard]] std::optional<std::size_t> addressed_to(std::span<const CmsIdentity> keys) const;

    /// Decrypts with the key that the message names.
    /// Cost: one RSA private-key operation (0.3 ms and more): run on the CpuPool.
    /// Errors: unsupported (cipher), not_found (none of the keys is named); and for whatever goes wrong
    /// after that one and the same `unauthenticated`. OpenSSL 3.0 has no implicit rejection of wrong
    /// PKCS #1 v1.5 padding, so the padding is taken off here, without a branch, and a wrong one goes on
    /// with a random content key: wrong paddings, keys and contents do the same work and end at one place.
    /// @param random gives that key; it is drawn whether needed or not.
    [[nodiscard]] core::Result<core::SecretBytes> open(std::span<const CmsIdentity> keys, core::Random& random) const;

private:
    enum class Transport { pkcs1, oaep, unsupported };
    struct Recipient {
        CmsIdentifier identifier;
        Transport transport = Transport::unsupported;
        std::string transport_oid;
        CmsDigest oaep_digest = CmsDigest::sha1;
        CmsDigest oaep_mask_digest = CmsDigest::sha1;
        core::Bytes encrypted_key;
    };
    struct Choice {
        std::size_t key = 0;
        std::size_t recipient = 0;
    };
    static core::Result<Recipient> read_recipient(core::BytesView content);
    static bool read_oaep(core::BytesView parameters, Recipient& out);
    [[nodiscard]] std::optional<Choice> choose(std::span<const CmsIdentity> keys) const;

    std::vector<Recipient> recipients_;
    std::string cipher_oid_;
    core::Bytes vector_, encrypted_;
};

}  // namespace postern::crypto
