#include "scep/reply.hpp"

#include <stdexcept>

#include "core/crypto/der.hpp"

namespace postern::scep {
namespace {

using core::Bytes;
using core::BytesView;
using crypto::CmsAttribute;
namespace der = crypto::der;

constexpr std::size_t nonce_octets = 16;
// Values of §3.2.1.2 and §3.2.1.3.
constexpr std::string_view cert_rep = "3";
constexpr std::string_view success = "0";
constexpr std::string_view failure = "2";
constexpr std::string_view pending = "3";

CmsAttribute printable(std::string_view oid, std::string_view value) {
    // The tag is fixed: Apple compares it byte by byte and knows no UTF8String here.
    return {std::string(oid), der::printable_string, core::as_bytes(value)};
}
CmsAttribute octets(std::string_view oid, BytesView value) { return {std::string(oid), der::octet_string, value}; }

std::vector<CmsAttribute> attributes(const ReplyTo& to, std::string_view status, core::Random& random) {
    std::vector<CmsAttribute> out;
    out.push_back(printable(oid_message_type, cert_rep));
    out.push_back(printable(oid_pki_status, status));
    out.push_back(printable(oid_transaction_id, to.transaction_id));
    out.push_back(octets(oid_sender_nonce, random.bytes(nonce_octets)));
    if (to.sender_nonce) out.push_back(octets(oid_recipient_nonce, *to.sender_nonce));
    return out;
}

}  // namespace

ReplyTo::ReplyTo(const Received& received, const MessagePolicy& policy)
    : transaction_id(received.transaction_id()),
      sender_nonce(received.sender_nonce()),
      digest(policy.reply_digest(received.signed_data().digest())),
      cipher(policy.reply_cipher(std::nullopt)) {}

ReplyTo::ReplyTo(const Request& request, const MessagePolicy& policy)
    : transaction_id(request.transaction_id()),
      sender_nonce(request.sender_nonce()),
      digest(policy.reply_digest(request.digest())),
      cipher(policy.reply_cipher(request.cipher())),
      recipient(request.signer()) {}

std::vector<Bytes> reply_certificates(BytesView leaf, std::span<const Bytes> chain, ReplyChain form) {
    std::vector<Bytes> out{core::to_bytes(leaf)};
    if (form == ReplyChain::leaf_and_chain) out.insert(out.end(), chain.begin(), chain.end());
    return out;
}

Bytes cert_rep_success(const ReplyTo& to, std::span<const Bytes> certificates, std::span<const Bytes> crls, const crypto::CmsIdentity& ra,
                       core::Random& random) {
    if (!to.recipient) throw std::logic_error("a SUCCESS is for the signer of a verified message");
    const Bytes content = crypto::cms_certificates(certificates, crls);
    const Bytes envelope = crypto::cms_envelope(content, *to.recipient, to.cipher, random);
    return crypto::cms_sign(BytesView(envelope), attributes(to, success, random), ra, to.digest);
}

Bytes cert_rep_failure(const ReplyTo& to, FailInfo fail, std::string_view text, const crypto::CmsIdentity& ra, core::Random& random) {
    auto all = attributes(to, failure, random);
    all.push_back(printable(oid_fail_info, std::to_string(static_cast<int>(fail))));
    if (!text.empty()) all.emplace_back(std::string(oid_fail_info_text), der::utf8_string, core::as_bytes(text));
    return crypto::cms_sign(std::nullopt, all, ra, to.digest);
}

Bytes cert_rep_pending(const ReplyTo& to, const crypto::CmsIdentity& ra, core::Random& random) {
    return crypto::cms_sign(std::nullopt, attributes(to, pending, random), ra, to.digest);
}

}  // namespace postern::scep
