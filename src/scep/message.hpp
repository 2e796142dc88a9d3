#pragma once
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "core/crypto/cms_enveloped.hpp"
#include "core/crypto/cms_signed.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/digest.hpp"
#include "scep/policy.hpp"

/// A pkiMessage of a client (RFC 8894 §3.2), read in three stages, each of which proves what the next
/// one builds on: Received (nothing is proven) -> Request (signed by the key of its certificate) ->
/// Opened (decrypted, and the key in the CSR has signed it).
namespace postern::scep {

/// What a client may send (§3.2.1.2). Everything else is an error: 3 is an answer, and 18 has never
/// been defined by an RFC (CVE-2026-30836).
enum class MessageType { renewal_req = 17, pkcs_req = 19, cert_poll = 20, get_cert = 21, get_crl = 22 };
std::string_view to_string(MessageType t) noexcept;  ///< "PKCSReq"
/// Exactly "17", "19", "20", "21" or "22": no zero before, no space.
std::optional<MessageType> message_type_from(std::string_view value) noexcept;

// Signed attributes (§3.2.1).
inline constexpr std::string_view oid_message_type = "2.16.840.1.113733.1.9.2";
inline constexpr std::string_view oid_pki_status = "2.16.840.1.113733.1.9.3";
inline constexpr std::string_view oid_fail_info = "2.16.840.1.113733.1.9.4";
inline constexpr std::string_view oid_sender_nonce = "2.16.840.1.113733.1.9.5";
inline constexpr std::string_view oid_recipient_nonce = "2.16.840.1.113733.1.9.6";
inline constexpr std::string_view oid_transaction_id = "2.16.840.1.113733.1.9.7";
inline constexpr std::string_view oid_fail_info_text = "1.3.6.1.5.5.7.24.1";

/// A message of which nothing is proven: enough to address a refusal.
class Received {
public:
    Received() = default;
    /// `malformed` for what cannot be read or has no transactionID (1 to 255 printable ASCII characters):
    /// HTTP 400, since no CertRep can be addressed.
    static core::Result<Received> read(core::BytesView body);

    [[nodiscard]] const std::string& transaction_id() const noexcept { return transaction_id_; }
    /// Nothing when absent or of another type: the refusal then has no recipientNonce.
    [[nodiscard]] const std::optional<core::Bytes>& sender_nonce() const noexcept { return sender_nonce_; }
    [[nodiscard]] const crypto::CmsSignedData& signed_data() const noexcept { return signed_; }

private:
    crypto::CmsSignedData signed_;
    std::string transaction_id_;
    std::optional<core::Bytes> sender_nonce_;
};

/// A message whose signature verifies under the key of its signer's certificate. A certificate that the
/// client made itself proves nothing else (§2.4).
class Request {
public:
    Request() = default;
    /// Cost: one public-key operation, with a key of up to 8192 bits that a stranger chose: run on the CpuPool.
    /// Errors: malformed (message type, attributes, no envelope), unsupported (algorithms that policy or
    /// Postern do not allow, a signer without an RSA key), bad_public_key, unauthenticated (signature).
    /// `check` names the stage, "scep.signature" for example.
    static core::Result<Request> verify(const Received& received, const MessagePolicy& policy);

    [[nodiscard]] MessageType type() const noexcept { return type_; }
    [[nodiscard]] const std::string& transaction_id() const noexcept { return transaction_id_; }
    [[nodiscard]] const core::Bytes& sender_nonce() const noexcept { return sender_nonce_; }
    /// Certificate and key of who signed: an RSA key, since the answer is encrypted for it.
    [[nodiscard]] const crypto::CmsParty& signer() const noexcept { return signer_; }
    /// Of the signer's certificate: what records are found by.
    [[nodiscard]] crypto::Sha256 signer_sha256() const { return crypto::sha256(signer_.certificate.der()); }
    [[nodiscard]] crypto::CmsDigest digest() const noexcept { return digest_; }
    [[nodiscard]] crypto::CmsCipher cipher() const noexcept { return cipher_; }
    [[nodiscard]] const crypto::CmsEnvelopedData& envelope() const noexcept { return envelope_; }

private:
    MessageType type_ = MessageType::pkcs_req;
    std::string transaction_id_;
    core::Bytes sender_nonce_;
    crypto::CmsParty signer_;
    crypto::CmsDigest digest_ = crypto::CmsDigest::sha256;
    crypto::CmsCipher cipher_ = crypto::CmsCipher::aes128_cbc;
    crypto::CmsEnvelopedData envelope_;
};

/// Of a CertPoll (§3.3.3). Nothing is decided by it.
struct IssuerAndSubject {
    IssuerAndSubject() = default;
    core::Bytes issuer_der, subject_der;
};
/// Of a GetCert or GetCRL (§3.3.4, §3.3.5).
struct IssuerAndSerial {
    IssuerAndSerial() = default;
    core::Bytes issuer_der;
    core::Bytes serial;  ///< magnitude, no leading zero
};

/// Whether the signer's certificate was found on record, by its SHA-256, with a right to renew here.
/// Known before a message is opened: the look-up is cheaper than the private key.
enum class SignerStanding { stranger, on_record };

struct Opened {
    Opened() = default;
    std::variant<crypto::Csr, IssuerAndSubject, IssuerAndSerial> content;
    std::size_t key = 0;  ///< which of the keys it was encrypted for: the issuer that is asked (§5.1)
    /// False for a renewal with a new key. Only one on record may come to that.
    bool signer_key_requested = false;
};

/// Why a message could not be opened: for the log of this server and for nobody else.
enum class OpenCause { none, renewal_by_stranger, recipient, cipher, decryption, content, csr, foreign_key };
std::string_view to_string(OpenCause cause) noexcept;

/// Decrypts a message and reads what is in it.
///
/// Cost: one RSA private-key operation and, for a CSR, one signature verification: run on the CpuPool.
/// Errors: unsupported (key transport); unauthenticated with check "scep.recipient" (encrypted for none of
/// the keys, which the message itself says); and one `unauthenticated`, the same for a wrong padding, key or
/// content and, from a stranger, for a CSR with another key than the signer's (S04, S13), of which nothing
/// else is read (from who is on record its own signature is verified first). What is wrong with a CSR is told
/// only to who proves to know it: when the key in it is the signer's.
/// A RenewalReq of a stranger is refused before the private key is used.
/// @param keys the registration authority's, the current one and those still in overlap.
/// @param cause tells this server what happened, when not null.
core::Result<Opened> open(const Request& request, std::span<const crypto::CmsIdentity> keys, SignerStanding standing,
                          const MessagePolicy& policy, core::Random& random, OpenCause* cause = nullptr);

}  // namespace postern::scep
