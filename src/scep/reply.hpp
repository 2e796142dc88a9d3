#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/crypto/cms_build.hpp"
#include "scep/fail_map.hpp"
#include "scep/message.hpp"

/// CertRep, the answer to every pkiMessage (RFC 8894 §3.3.2): signed by the registration authority, with a
/// senderNonce of its own. All functions cost one RSA private-key operation: run them on the CpuPool.
namespace postern::scep {

inline constexpr std::string_view pki_message_media_type = "application/x-pki-message";

/// What of a message its answer repeats or mirrors.
struct ReplyTo {
    ReplyTo() = default;
    /// To a message of which nothing is proven: refusals only. Its digest is mirrored where policy allows it.
    ReplyTo(const Received& received, const MessagePolicy& policy);
    /// To a verified one: cipher and digest are the request's own within policy.
    ReplyTo(const Request& request, const MessagePolicy& policy);

    std::string transaction_id;
    std::optional<core::Bytes> sender_nonce;  ///< comes back as recipientNonce
    crypto::CmsDigest digest = crypto::CmsDigest::sha256;
    crypto::CmsCipher cipher = crypto::CmsCipher::aes128_cbc;
    /// Whom the content is encrypted for; nothing for a message of which nothing is proven.
    std::optional<crypto::CmsParty> recipient;
};

/// Which certificates a SUCCESS carries. Juniper refuses a CA certificate, Cisco's VPN client wants one.
enum class ReplyChain { leaf, leaf_and_chain };
/// In the order in which they are sent: the issued one first.
std::vector<core::Bytes> reply_certificates(core::BytesView leaf, std::span<const core::Bytes> chain, ReplyChain form);

/// SUCCESS: a degenerate SignedData with these certificates (PKCSReq, RenewalReq, CertPoll, GetCert) or
/// CRLs (GetCRL), in this order, encrypted for the recipient. Throws std::logic_error without one.
core::Bytes cert_rep_success(const ReplyTo& to, std::span<const core::Bytes> certificates, std::span<const core::Bytes> crls,
                             const crypto::CmsIdentity& ra, core::Random& random);
/// FAILURE; `text` (UTF-8, for people, nothing secret) is the failInfoText, left out when empty.
core::Bytes cert_rep_failure(const ReplyTo& to, FailInfo fail, std::string_view text, const crypto::CmsIdentity& ra, core::Random& random);
/// PENDING: ask again with a CertPoll.
core::Bytes cert_rep_pending(const ReplyTo& to, const crypto::CmsIdentity& ra, core::Random& random);

}  // namespace postern::scep
