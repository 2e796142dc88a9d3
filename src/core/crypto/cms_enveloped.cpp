#include "core/crypto/cms_enveloped.hpp"

#include "core/crypto/ber.hpp"
#include "core/crypto/cms_content.hpp"
#include "core/crypto/cms_decrypt.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::size_t most_recipients = 16;
constexpr std::string_view oid_rsa_encryption = "1.2.840.113549.1.1.1";
constexpr std::string_view oid_oaep = "1.2.840.113549.1.1.7";
constexpr std::string_view oid_mgf1 = "1.2.840.113549.1.1.8";
constexpr std::string_view oid_p_specified = "1.2.840.113549.1.1.9";

Problem bad(std::string detail) { return {ProblemKind::malformed, "the EnvelopedData cannot be read: " + std::move(detail)}; }
Problem unsupported(std::string detail) { return {ProblemKind::unsupported, std::move(detail)}; }

std::string_view kind_of_recipient(std::uint8_t tag) {
    switch (tag) {
        case der::context_constructed(1): return "key agreement (KARI)";
        case der::context_constructed(2): return "a shared key (KEKRI)";
        case der::context_constructed(3): return "a password (PWRI)";
        default: return "something unknown (ORI)";
    }
}

/// The AlgorithmIdentifier alone in an explicit tag.
std::optional<CmsAlgorithm> explicit_algorithm(const std::optional<der::Element>& tagged) {
    ber::Reader inner(tagged ? tagged->content : BytesView());
    const auto algorithm = inner.next(der::sequence);
    if (!algorithm || !inner.empty()) return std::nullopt;
    return cms_algorithm(*algorithm);
}

}  // namespace

/// RSAES-OAEP-params (RFC 8017 A.2.1): two digests of ours and no label.
bool CmsEnvelopedData::read_oaep(BytesView parameters, Recipient& out) {
    ber::Reader fields(parameters);
    if (fields.peek() == der::context_constructed(0)) {
        const auto algorithm = explicit_algorithm(fields.next());
        const auto digest = algorithm ? cms_digest_from(algorithm->oid) : std::nullopt;
        if (!digest) return false;
        out.oaep_digest = *digest;
    }
    if (fields.peek() == der::context_constructed(1)) {
        const auto algorithm = explicit_algorithm(fields.next());
        if (!algorithm || algorithm->oid != oid_mgf1 || !algorithm->parameters) return false;
        const auto inner = cms_algorithm(*algorithm->parameters);
        const auto digest = inner ? cms_digest_from(inner->oid) : std::nullopt;
        if (!digest) return false;
        out.oaep_mask_digest = *digest;
    }
    if (fields.peek() == der::context_constructed(2)) {
        const auto algorithm = explicit_algorithm(fields.next());
        if (!algorithm || algorithm->oid != oid_p_specified || !algorithm->parameters) return false;
        const auto label = ber::octets(*algorithm->parameters, der::octet_string);
        if (!label || !label->empty()) return false;
    }
    return fields.empty();
}

core::Result<CmsEnvelopedData::Recipient> CmsEnvelopedData::read_recipient(BytesView content) {
    ber::Reader fields(content);
    const auto version = fields.next(der::integer);
    const auto rid = fields.next();
    const auto algorithm = fields.next(der::sequence);
    const auto value = fields.next();
    if (!version || !rid || !algorithm || !value || !fields.empty()) return bad("a recipient is broken");
    auto identifier = cms_identifier(*rid);
    const auto transport = cms_algorithm(*algorithm);
    auto encrypted_key = ber::octets(*value, der::octet_string);
    if (!identifier || !transport || !encrypted_key) return bad("a recipient has no name, algorithm or key");
    Recipient out;
    out.identifier = std::move(*identifier);
    out.encrypted_key = std::move(*encrypted_key);
    out.transport_oid = transport->oid;
    if (transport->oid == oid_rsa_encryption) {
        out.transport = Transport::pkcs1;
    } else if (transport->oid == oid_oaep) {
        if (!transport->parameters || transport->parameters->tag != der::sequence) return bad("the parameters of RSAES-OAEP are missing");
        if (read_oaep(transport->parameters->content, out)) out.transport = Transport::oaep;
    }
    return out;
}

core::Result<CmsEnvelopedData> CmsEnvelopedData::parse(BytesView message) {
    const auto content = cms_content(message, oid_cms_enveloped_data);
    if (!content) return content.error();
    ber::Reader fields(content->content);
    if (!fields.next(der::integer)) return bad("its version is missing");
    if (fields.peek() == der::context_constructed(0)) fields.next();  // originatorInfo
    const auto recipients = fields.next(der::set);
    const auto encrypted = fields.next(der::sequence);
    if (!recipients || !encrypted) return bad("recipients or content are missing");
    if (fields.peek() == der::context_constructed(1)) fields.next();  // unprotected attributes
    if (!fields.empty()) return bad("something follows its content");

    CmsEnvelopedData out;
    ber::Reader each(recipients->content);
    while (!each.empty()) {
        const auto recipient = each.next();
        if (!recipient) return bad("its recipients are broken");
        if (out.recipients_.size() == most_recipients) return bad("it has more than 16 recipients");
        if (recipient->tag != der::sequence)
            return unsupported("a recipient of the message uses " + std::string(kind_of_recipient(recipient->tag)) + "; use RSA key transport");
        auto read = read_recipient(recipient->content);
        if (!read) return read.error();
        out.recipients_.push_back(std::move(*read));
    }
    if (out.recipients_.empty()) return bad("it has no recipient");

    ber::Reader parts(encrypted->content);
    const auto type = parts.next(der::oid);
    const auto identifier = parts.next(der::sequence);
    const auto algorithm = identifier ? cms_algorithm(*identifier) : std::nullopt;
    if (!type || !algorithm) return bad("its content has no type or cipher");
    if (der::oid_text(type->content) != oid_cms_data) return bad("what it encrypts is not of type data");
    out.cipher_oid_ = algorithm->oid;
    const auto value = parts.next();
    auto octets = value ? ber::octets(*value, der::context(0)) : std::nullopt;
    if (!octets || !parts.empty()) return bad("its content is missing");
    out.encrypted_ = std::move(*octets);
    const auto cipher = out.cipher();
    if (!cipher) return out;
    const std::size_t block = sizes_of(*cipher).block;
    auto vector = algorithm->parameters ? ber::octets(*algorithm->parameters, der::octet_string) : std::nullopt;
    if (!vector || vector->size() != block) return bad("the initialization vector of its cipher is missing or has a wrong size");
    if (out.encrypted_.empty() || out.encrypted_.size() % block != 0) return bad("its content is not made of whole blocks");
    out.vector_ = std::move(*vector);
    return out;
}

std::optional<CmsEnvelopedData::Choice> CmsEnvelopedData::choose(std::span<const CmsIdentity> keys) const {
    for (std::size_t r = 0; r < recipients_.size(); ++r)
        for (std::size_t k = 0; k < keys.size(); ++k)
            if (recipients_[r].identifier.names(keys[k].certificate)) return Choice{k, r};
    return std::nullopt;
}

std::optional<std::size_t> CmsEnvelopedData::addressed_to(std::span<const CmsIdentity> keys) const {
    const auto choice = choose(keys);
    if (!choice) return std::nullopt;
    return choice->key;
}

core::Result<core::SecretBytes> CmsEnvelopedData::open(std::span<const CmsIdentity> keys, core::Random& random) const {
    const auto used = cipher();
    if (!used)
        return unsupported("the cipher " + algorithm_name(cipher_oid_) + " is not supported; use AES-128-CBC or AES-256-CBC");
    const auto choice = choose(keys);
    if (!choice) return Problem{ProblemKind::not_found, "the message is encrypted for none of the certificates in use here; fetch them anew (GetCACert)"};
    const Recipient& recipient = recipients_[choice->recipient];
    if (recipient.transport == Transport::unsupported)
        return unsupported("the key transport " + algorithm_name(recipient.transport_oid) + " of the message is not supported; use RSA (PKCS #1 v1.5) or RSAES-OAEP");

    core::SecretBytes key(random.bytes(sizes_of(*used).key));
    const PrivateKey& own = keys[choice->key].key;
    const auto unwrapped = recipient.transport == Transport::pkcs1
                               ? unwrap_pkcs1(own, recipient.encrypted_key, std::move(key))
                               : unwrap_oaep(own, recipient.oaep_digest, recipient.oaep_mask_digest, recipient.encrypted_key, std::move(key));
    auto content = decrypt_cbc(*used, unwrapped.key, vector_, encrypted_, unwrapped.good);
    // The one exit of all failures: the same words whatever it was.
    if (!content) return Problem{ProblemKind::unauthenticated, "the message cannot be decrypted"};
    return std::move(*content);
}

}  // namespace postern::crypto
