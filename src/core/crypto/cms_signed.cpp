#include "core/crypto/cms_signed.hpp"

#include "core/crypto/ber.hpp"
#include "core/crypto/cms_content.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::size_t most_certificates = 16;
constexpr std::size_t most_signers = 8;
constexpr std::size_t most_attributes = 32;
constexpr std::size_t most_candidates = 2;

constexpr std::string_view oid_content_type = "1.2.840.113549.1.9.3";
constexpr std::string_view oid_message_digest = "1.2.840.113549.1.9.4";

Problem bad(std::string detail) { return {ProblemKind::malformed, "the SignedData cannot be read: " + std::move(detail)}; }
Problem unproven(std::string detail) { return {ProblemKind::unauthenticated, std::move(detail)}; }
Problem unsupported(std::string_view what, std::string_view oid) {
    return {ProblemKind::unsupported, "the " + std::string(what) + " " + algorithm_name(oid) +
                                          " is not supported; use SHA-256 with RSA (PKCS #1 v1.5) or ECDSA"};
}

}  // namespace

core::Result<std::vector<Bytes>> CmsSignedData::read_certificates(BytesView bag) {
    std::vector<Bytes> out;
    ber::Reader certificates(bag);
    while (!certificates.empty()) {
        const auto each = certificates.next();
        if (!each) return bad("its certificates are broken");
        if (out.size() == most_certificates) return bad("it has more than 16 certificates");
        // Attribute certificates and other forms ([0] to [3]) are nobody's key here.
        if (each->tag == der::sequence) out.push_back(core::to_bytes(each->whole));
    }
    return out;
}

std::optional<Problem> CmsSignedData::read_attributes(BytesView content) {
    der::Writer octets;
    octets.primitive(der::set, content);
    signed_octets_ = octets.take();
    // RFC 5652 §5.3: signedAttrs MUST be DER. One that is not was signed in a form nobody can know.
    if (!der::is_der(signed_octets_)) return bad("its signed attributes are not DER");
    der::Reader attributes(content);
    while (!attributes.empty()) {
        const auto attribute = attributes.next(der::sequence);
        der::Reader fields(attribute ? attribute->content : BytesView());
        const auto oid = fields.next(der::oid);
        const auto values = fields.next(der::set);
        if (!oid || !values || !fields.empty()) return bad("a signed attribute is not an object identifier and a set of values");
        if (attributes_.size() == most_attributes) return bad("it has more than 32 signed attributes");
        attributes_.push_back({der::oid_text(oid->content), core::to_bytes(values->content)});
    }
    return std::nullopt;
}

std::optional<Problem> CmsSignedData::read_signer(BytesView content) {
    ber::Reader fields(content);
    const auto version = fields.next(der::integer);
    const auto sid = fields.next();
    const auto digest = fields.next(der::sequence);
    if (!version || !sid || !digest) return bad("its signer is broken");
    auto identifier = cms_identifier(*sid);
    const auto digest_algorithm = cms_algorithm(*digest);
    if (!identifier || !digest_algorithm) return bad("its signer has no name or digest");
    signer_ = std::move(*identifier);
    digest_oid_ = digest_algorithm->oid;
    if (fields.peek() != der::context_constructed(0)) return bad("its signer has no signed attributes");
    const auto attributes = fields.next();
    if (!attributes) return bad("its signed attributes are broken");
    if (auto problem = read_attributes(attributes->content)) return problem;
    const auto algorithm = fields.next(der::sequence);
    const auto signature_algorithm = algorithm ? cms_algorithm(*algorithm) : std::nullopt;
    const auto value = fields.next();
    auto signature = value ? ber::octets(*value, der::octet_string) : std::nullopt;
    if (!signature_algorithm || !signature) return bad("its signer has no signature");
    signature_oid_ = signature_algorithm->oid;
    signature_ = std::move(*signature);
    if (fields.peek() == der::context_constructed(1)) fields.next();  // unsigned attributes: anybody's words
    if (!fields.empty()) return bad("something follows its signature");
    return std::nullopt;
}

core::Result<CmsSignedData> CmsSignedData::parse(BytesView message) {
    const auto content = cms_content(message, oid_cms_signed_data);
    if (!content) return content.error();
    ber::Reader fields(content->content);
    const auto version = fields.next(der::integer);
    const auto digests = fields.next(der::set);
    const auto encapsulated = fields.next(der::sequence);
    if (!version || !digests || !encapsulated) return bad("version, digests or content are missing");

    CmsSignedData out;
    ber::Reader parts(encapsulated->content);
    const auto type = parts.next(der::oid);
    if (!type || der::oid_text(type->content) != oid_cms_data) return bad("what it signs is not of type data");
    if (!parts.empty()) {
        const auto wrapped = parts.next(der::context_constructed(0));
        ber::Reader inner(wrapped ? wrapped->content : BytesView());
        const auto octets = inner.next();
        out.content_ = octets ? ber::octets(*octets, der::octet_string) : std::nullopt;
        if (!out.content_ || !inner.empty() || !parts.empty()) return bad("what it signs is no OCTET STRING");
    }
    if (fields.peek() == der::context_constructed(0)) {
        const auto bag = fields.next();
        auto certificates = bag ? read_certificates(bag->content) : core::Result<std::vector<Bytes>>(bad("its certificates are broken"));
        if (!certificates) return certificates.error();
        out.certificates_ = std::move(*certificates);
    }
    if (fields.peek() == der::context_constructed(1)) fields.next();  // CRLs
    const auto signers = fields.next(der::set);
    if (!signers || !fields.empty()) return bad("its signers are missing");
    ber::Reader each(signers->content);
    while (!each.empty()) {
        const auto signer = each.next(der::sequence);
        if (!signer || out.signers_ == most_signers) return bad("its signers are broken or more than 8");
        if (++out.signers_ > 1) continue;
        if (auto problem = out.read_signer(signer->content)) return std::move(*problem);
    }
    if (out.signers_ == 0) return bad("nobody signed it");
    return out;
}

core::Result<Bytes> CmsSignedData::attribute(std::string_view oid, std::uint8_t tag) const {
    const std::string name = "the signed attribute " + std::string(oid);
    const Attribute* found = nullptr;
    for (const auto& each : attributes_) {
        if (each.oid != oid) continue;
        if (found != nullptr) return Problem{ProblemKind::malformed, name + " is there twice"};
        found = &each;
    }
    if (found == nullptr) return Problem{ProblemKind::not_found, name + " is missing"};
    der::Reader values(found->values);
    const auto value = values.next();
    if (!value || !values.empty()) return Problem{ProblemKind::malformed, name + " has not exactly one value"};
    if (value->tag != tag) return Problem{ProblemKind::malformed, name + " has the wrong ASN.1 type"};
    return core::to_bytes(value->content);
}

core::Result<CmsParty> CmsSignedData::verify() const {
    if (signers_ != 1) return unproven("the message has " + std::to_string(signers_) + " signers; one is wanted");
    const auto used = digest();
    if (!used) return unsupported("digest", digest_oid_);
    const auto algorithm = cms_signature_from(signature_oid_);
    if (!algorithm) return unsupported("signature algorithm", signature_oid_);
    if (algorithm->digest && algorithm->digest != used) return unproven("digest and signature algorithm of the message contradict each other");

    const auto type = attribute(oid_content_type, der::oid);
    if (!type || der::oid_text(*type) != oid_cms_data) return unproven("the signed contentType is missing or is not data");
    const auto stated = attribute(oid_message_digest, der::octet_string);
    if (!stated || *stated != cms_digest(*used, content_ ? BytesView(*content_) : BytesView()))
        return unproven("the signed messageDigest is missing or is not that of the content");

    std::size_t candidates = 0;
    std::optional<Problem> weak;
    for (const auto& der : certificates_) {
        auto certificate = CmsCertificate::parse(der);
        if (!certificate || !signer_.names(*certificate)) continue;
        if (++candidates > most_candidates) return unproven("the message has several certificates of the signer's name");
        auto key = PublicKey::from_spki(certificate->spki(), KeyUse::csr);
        if (!key) {
            weak = key.error();  // another one of that name may still be the signer
            continue;
        }
        if (!cms_verify(*key, algorithm->family, *used, signed_octets_, signature_)) continue;
        CmsParty party;
        party.certificate = std::move(*certificate);
        party.key = std::move(*key);
        return party;
    }
    if (weak) return *std::move(weak);
    return unproven(candidates == 0 ? "the signer's certificate is not in the message" : "the signature of the message does not verify");
}

}  // namespace postern::crypto
