#include "scep/message.hpp"

#include <algorithm>

#include "core/crypto/der.hpp"

namespace postern::scep {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;
namespace der = crypto::der;

constexpr std::size_t longest_transaction_id = 255;
/// RFC 8894 §3.2.1.5 says 16; what counts is that it comes back.
constexpr std::size_t shortest_nonce = 8;
constexpr std::size_t longest_nonce = 64;

Problem at(std::string check, Problem problem) {
    problem.check = std::move(check);
    return problem;
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

core::Result<MessageType> read_type(const crypto::CmsSignedData& message) {
    const auto value = message.attribute(oid_message_type, der::printable_string);
    if (!value) return Problem{ProblemKind::malformed, value.error().detail, "scep.message_type"};
    const auto type = message_type_from(core::as_text(*value));
    if (!type)
        return Problem{ProblemKind::malformed, "the messageType is none that a client sends; use PKCSReq (19) or RenewalReq (17)", "scep.message_type"};
    return *type;
}

/// What is signed with, against policy and before anything is computed.
std::optional<Problem> check_digest(const crypto::CmsSignedData& message, const MessagePolicy& policy) {
    const auto digest = message.digest();
    if (digest && policy.allows(*digest)) return std::nullopt;
    return Problem{ProblemKind::unsupported, "the digest " + crypto::algorithm_name(message.digest_oid()) + " is not allowed here; use SHA-256", "scep.digest"};
}

std::optional<Problem> check_signer(const crypto::CmsParty& signer, const MessagePolicy& policy) {
    if (signer.key.type() != crypto::KeyType::rsa)
        return Problem{ProblemKind::unsupported, "the signer's key is " + crypto::describe(signer.key.type(), signer.key.bits()) +
                                                     "; the answer is encrypted for it, which takes an RSA key", "scep.signer_key"};
    if (signer.key.bits() < policy.least_rsa_bits)
        return Problem{ProblemKind::bad_public_key, "the signer's RSA key has " + std::to_string(signer.key.bits()) + " bits; at least " +
                                                        std::to_string(policy.least_rsa_bits) + " are wanted", "scep.signer_key"};
    return std::nullopt;
}

/// The SubjectPublicKeyInfo of what looks like a CSR; empty for anything else.
BytesView requested_key(BytesView csr) {
    der::Reader outer(csr);
    const auto request = outer.next(der::sequence);
    der::Reader parts(request ? request->content : BytesView());
    const auto info = parts.next(der::sequence);
    der::Reader fields(info ? info->content : BytesView());
    fields.next(der::integer);
    fields.next(der::sequence);
    const auto spki = fields.next(der::sequence);
    return spki ? spki->whole : BytesView();
}

std::optional<IssuerAndSubject> read_issuer_and_subject(BytesView content) {
    der::Reader outer(content);
    const auto sequence = outer.next(der::sequence);
    der::Reader fields(sequence ? sequence->content : BytesView());
    const auto issuer = fields.next(der::sequence);
    const auto subject = fields.next(der::sequence);
    if (!issuer || !subject || !fields.empty() || !outer.empty()) return std::nullopt;
    IssuerAndSubject out;
    out.issuer_der = core::to_bytes(issuer->whole);
    out.subject_der = core::to_bytes(subject->whole);
    return out;
}

std::optional<IssuerAndSerial> read_issuer_and_serial(BytesView content) {
    der::Reader outer(content);
    const auto sequence = outer.next(der::sequence);
    der::Reader fields(sequence ? sequence->content : BytesView());
    const auto issuer = fields.next(der::sequence);
    const auto serial = fields.next(der::integer);
    const auto magnitude = serial ? der::unsigned_magnitude(*serial) : std::nullopt;
    if (!issuer || !magnitude || !fields.empty() || !outer.empty()) return std::nullopt;
    IssuerAndSerial out;
    out.issuer_der = core::to_bytes(issuer->whole);
    out.serial = core::to_bytes(*magnitude);
    return out;
}

/// The one refusal for all that a sender must not be able to tell apart.
Problem cannot_open() { return {ProblemKind::unauthenticated, "the message cannot be opened", "scep.envelope"}; }

bool carries_csr(MessageType type) { return type == MessageType::pkcs_req || type == MessageType::renewal_req; }

/// Whether it is signed with something that nobody here verifies (badAlg; A13).
bool signed_with_unknown_algorithm(BytesView csr) {
    der::Reader outer(csr);
    const auto request = outer.next(der::sequence);
    der::Reader parts(request ? request->content : BytesView());
    const auto info = parts.next(der::sequence);
    const auto algorithm = parts.next(der::sequence);
    return info && algorithm && !crypto::signature_algorithm_from(algorithm->whole);
}

/// What a PKCSReq or RenewalReq carries; `own`: with the key that signed.
core::Result<crypto::Csr> read_csr(BytesView content, bool own, const MessagePolicy& policy) {
    const auto digests = policy.allows(crypto::CmsDigest::sha1) ? crypto::CsrDigests::sha1_too : crypto::CsrDigests::modern;
    auto csr = crypto::Csr::parse(content, digests);
    if (csr) return csr;
    // Who put their own key in knows the content.
    if (own && signed_with_unknown_algorithm(content)) return Problem(ProblemKind::unsupported, csr.error().detail, "scep.csr");
    if (own) return at("scep.csr", csr.error());
    return cannot_open();
}

}  // namespace

std::string_view to_string(MessageType t) noexcept {
    switch (t) {
        case MessageType::renewal_req: return "RenewalReq";
        case MessageType::pkcs_req: return "PKCSReq";
        case MessageType::cert_poll: return "CertPoll";
        case MessageType::get_cert: return "GetCert";
        case MessageType::get_crl: return "GetCRL";
    }
    return "PKCSReq";
}

std::optional<MessageType> message_type_from(std::string_view value) noexcept {
    if (value == "17") return MessageType::renewal_req;
    if (value == "19") return MessageType::pkcs_req;
    if (value == "20") return MessageType::cert_poll;
    if (value == "21") return MessageType::get_cert;
    if (value == "22") return MessageType::get_crl;
    return std::nullopt;
}

std::string_view to_string(OpenCause cause) noexcept {
    switch (cause) {
        case OpenCause::none: return "none";
        case OpenCause::renewal_by_stranger: return "a RenewalReq signed with a certificate that is not on record";
        case OpenCause::recipient: return "encrypted for none of the RA's certificates";
        case OpenCause::cipher: return "key transport or cipher not supported";
        case OpenCause::decryption: return "padding, key or content wrong";
        case OpenCause::content: return "content is not what the message type wants";
        case OpenCause::csr: return "CSR refused";
        case OpenCause::foreign_key: return "the key in the CSR is not the signer's";
    }
    return "none";
}

core::Result<Received> Received::read(BytesView body) {
    auto message = crypto::CmsSignedData::parse(body);
    if (!message) return at("scep.message", message.error());
    const auto id = message->attribute(oid_transaction_id, der::printable_string);
    if (!id) return Problem{ProblemKind::malformed, id.error().detail, "scep.transaction_id"};
    if (id->empty() || id->size() > longest_transaction_id || !is_printable(core::as_text(*id)))
        return Problem{ProblemKind::malformed, "the transactionID is not 1 to 255 printable characters", "scep.transaction_id"};

    Received out;
    out.transaction_id_ = core::as_text(*id);
    auto nonce = message->attribute(oid_sender_nonce, der::octet_string);
    if (nonce && nonce->size() >= shortest_nonce && nonce->size() <= longest_nonce) out.sender_nonce_ = std::move(*nonce);
    out.signed_ = std::move(*message);
    return out;
}

core::Result<Request> Request::verify(const Received& received, const MessagePolicy& policy) {
    const crypto::CmsSignedData& message = received.signed_data();
    const auto type = read_type(message);
    if (!type) return type.error();
    if (*type == MessageType::renewal_req && !policy.renewal)
        return Problem{ProblemKind::forbidden, "RenewalReq is not offered here; send a PKCSReq", "scep.message_type"};
    if (!received.sender_nonce())
        return Problem{ProblemKind::malformed, "the senderNonce is missing, doubled or not an OCTET STRING of 8 to 64 octets", "scep.sender_nonce"};
    if (auto problem = check_digest(message, policy)) return *std::move(problem);
    auto signer = message.verify();
    if (!signer) return at("scep.signature", signer.error());
    if (auto problem = check_signer(*signer, policy)) return *std::move(problem);

    if (!message.content()) return Problem{ProblemKind::malformed, "the message has no envelope", "scep.envelope"};
    auto envelope = crypto::CmsEnvelopedData::parse(*message.content());
    if (!envelope) return at("scep.envelope", envelope.error());
    const auto cipher = envelope->cipher();
    if (!cipher || !policy.allows(*cipher))
        return Problem{ProblemKind::unsupported, "the cipher " + crypto::algorithm_name(envelope->cipher_oid()) + " is not allowed here; use AES-128-CBC", "scep.cipher"};

    Request out;
    out.type_ = *type;
    out.transaction_id_ = received.transaction_id();
    out.sender_nonce_ = *received.sender_nonce();
    out.signer_ = std::move(*signer);
    out.digest_ = *message.digest();
    out.cipher_ = *cipher;
    out.envelope_ = std::move(*envelope);
    return out;
}

core::Result<Opened> open(const Request& request, std::span<const crypto::CmsIdentity> keys, SignerStanding standing,
                          const MessagePolicy& policy, core::Random& random, OpenCause* cause) {
    OpenCause ignored{};
    OpenCause& why = cause != nullptr ? *cause : ignored;
    why = OpenCause::none;
    if (request.type() == MessageType::renewal_req && standing == SignerStanding::stranger) {
        why = OpenCause::renewal_by_stranger;
        return Problem{ProblemKind::unauthenticated, "a RenewalReq is signed with the certificate that it renews, and this one is not known here",
                       "scep.renewal_signer"};
    }
    const auto key = request.envelope().addressed_to(keys);
    const auto content = request.envelope().open(keys, random);
    if (!content) {
        if (content.error().kind == ProblemKind::not_found) {
            why = OpenCause::recipient;  // an old certificate after its overlap (S16): the message names it, so this tells nothing
            return Problem{ProblemKind::unauthenticated, content.error().detail, "scep.recipient"};
        }
        if (content.error().kind == ProblemKind::unsupported) {
            why = OpenCause::cipher;
            return at("scep.envelope", content.error());
        }
        why = OpenCause::decryption;
        return cannot_open();
    }

    const BytesView plain = content->expose();
    const BytesView spki = carries_csr(request.type()) ? requested_key(plain) : BytesView();
    const bool own = std::ranges::equal(spki, request.signer().certificate.spki());
    // Before anything else is read or made: a reader would take its time, and by that time tell about a request
    // that somebody captured and changed.
    if (carries_csr(request.type()) && !own && standing == SignerStanding::stranger) {
        why = spki.empty() ? OpenCause::csr : OpenCause::foreign_key;
        return cannot_open();
    }

    Opened out;
    out.key = *key;
    switch (request.type()) {
        case MessageType::renewal_req:
        case MessageType::pkcs_req: {
            auto csr = read_csr(plain, own, policy);
            if (!csr) {
                why = OpenCause::csr;
                return csr.error();
            }
            out.signer_key_requested = own;
            out.content = std::move(*csr);
            return out;
        }
        case MessageType::cert_poll:
            if (auto names = read_issuer_and_subject(plain)) {
                out.content = std::move(*names);
                return out;
            }
            break;
        case MessageType::get_cert:
        case MessageType::get_crl:
            if (auto name = read_issuer_and_serial(plain)) {
                out.content = std::move(*name);
                return out;
            }
            break;
    }
    why = OpenCause::content;
    return cannot_open();
}

}  // namespace postern::scep
