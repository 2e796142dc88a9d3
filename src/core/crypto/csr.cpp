#include "core/crypto/csr.hpp"

#include <algorithm>
#include <array>

#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/directory_string.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::string_view oid_challenge_password = "1.2.840.113549.1.9.7";
constexpr std::string_view oid_extension_request = "1.2.840.113549.1.9.14";
constexpr std::string_view oid_microsoft_extensions = "1.3.6.1.4.1.311.2.1.14";  // the same, from before PKCS #9 had it

constexpr std::size_t longest_challenge = 16 * 1024;  // Intune's are sealed blobs of 3 to 4 KB

struct RefusedAlgorithm {
    std::string_view oid;
    std::string_view reason;
};
constexpr std::array<RefusedAlgorithm, 9> refused_algorithms{{
    {"1.2.840.113549.1.1.4", "MD5 with RSA, which is broken"},
    {"1.2.840.113549.1.1.2", "MD2 with RSA, which is broken"},
    {"1.2.840.113549.1.1.5", "SHA-1 with RSA, which is broken"},
    {"1.3.14.3.2.29", "SHA-1 with RSA, which is broken"},
    {"1.2.840.10045.4.1", "ECDSA with SHA-1, which is broken"},
    {"1.2.840.10040.4.3", "DSA with SHA-1, which is broken"},
    {"1.2.840.10045.4.3.1", "ECDSA with SHA-224, which is not supported"},
    {"1.2.840.113549.1.1.14", "SHA-224 with RSA, which is not supported"},
    {"1.2.840.113549.1.1.10", "RSASSA-PSS, which is not supported"},
}};

Problem bad(std::string detail) { return {ProblemKind::bad_csr, "the CSR is refused: " + std::move(detail)}; }
Problem bad(const Problem& inner) { return bad(inner.detail); }

/// Names what was used and what would do.
Problem unsupported_algorithm(BytesView identifier) {
    constexpr std::string_view advice = "; sign it with SHA-256, SHA-384 or SHA-512 and RSA (PKCS #1 v1.5) or ECDSA, or with Ed25519";
    der::Reader fields(identifier);
    const auto oid = fields.next(der::oid);
    const std::string name = oid ? der::oid_text(oid->content) : std::string();
    if (name.empty()) return bad("its signature algorithm is no object identifier");
    for (const auto& refused : refused_algorithms)
        if (refused.oid == name) return bad("it is signed with " + std::string(refused.reason) + std::string(advice));
    return bad("its signature algorithm " + name + " is not supported or has wrong parameters" + std::string(advice));
}

bool is_rsa_sha1(BytesView identifier) {
    der::Reader fields(identifier);
    const auto oid = fields.next(der::oid);
    const auto algorithm = oid ? cms_signature_from(der::oid_text(oid->content)) : std::nullopt;
    if (!algorithm || algorithm->family != CmsSignatureFamily::rsa || algorithm->digest != CmsDigest::sha1) return false;
    const auto parameters = fields.next(der::null);
    return parameters && fields.empty();
}

/// What the attributes can say.
struct Attributes {
    std::optional<BytesView> extensions;
    std::optional<std::string> challenge_password;
    BytesView challenge_octets;
    std::vector<std::string> unread;  ///< OIDs of all others
};

core::Result<Attributes> read_attributes(BytesView content) {
    Attributes out;
    der::Reader attributes(content);
    while (!attributes.empty()) {
        const auto attribute = attributes.next(der::sequence);
        if (!attribute) return bad("its attributes are not DER");
        der::Reader fields(attribute->content);
        const auto oid = fields.next(der::oid);
        const auto values = fields.next(der::set);
        if (!oid || !values || !fields.empty()) return bad("an attribute is not an object identifier and a set of values");
        const std::string name = der::oid_text(oid->content);
        const bool is_extensions = name == oid_extension_request || name == oid_microsoft_extensions;
        if (name.empty()) return bad("an attribute has a broken object identifier");
        if (!is_extensions && name != oid_challenge_password) {
            out.unread.push_back(name);
            continue;
        }

        der::Reader single(values->content);
        const auto value = single.next();
        if (!value || !single.empty())
            return bad(std::string(is_extensions ? "the extensionRequest" : "the challengePassword") + " attribute has not exactly one value");
        if (is_extensions) {
            if (out.extensions) return bad("it has two extensionRequest attributes; put all extensions into one");
            out.extensions = value->whole;
        } else {
            if (out.challenge_password) return bad("it has two challengePassword attributes");
            out.challenge_password = directory_string(*value);
            out.challenge_octets = value->content;
            if (!out.challenge_password) return bad("its challengePassword cannot be read as text");
            if (out.challenge_password->size() > longest_challenge) return bad("its challengePassword is longer than 16 KiB");
        }
    }
    return out;
}

/// X18: a list without purposes would read as "any purpose" to some and as "none" to others.
core::Result<std::vector<std::string>> read_purposes(BytesView value) {
    der::Reader outer(value);
    const auto list = outer.next(der::sequence);
    if (!list || list->content.empty() || !outer.empty())
        return bad("the extendedKeyUsage is empty or broken; leave the extension out");
    std::vector<std::string> out;
    der::Reader purposes(list->content);
    while (!purposes.empty()) {
        const auto purpose = purposes.next(der::oid);
        out.push_back(purpose ? der::oid_text(purpose->content) : std::string());
        if (out.back().empty()) return bad("the extendedKeyUsage holds something that is no purpose");
    }
    return out;
}

}  // namespace

std::optional<Problem> Csr::read_requested(BytesView extensions_der) {
    const auto extensions = read_extensions(extensions_der);
    if (!extensions) return bad(extensions.error());
    for (const auto& extension : *extensions) {
        extension_oids_.push_back(extension.oid);
        if (!der::is_der(extension.value)) return bad("the extension " + extension.oid + " is empty or its value is not DER");
        if (extension.oid == oid_subject_alt_name) {
            auto names = parse_general_names(extension.value);
            if (!names) return bad(names.error());
            alt_names_ = std::move(*names);
        } else if (extension.oid == oid_tls_feature) {
            const auto asked = asks_status_request(extension.value);
            if (!asked) return bad(asked.error());
            must_staple_ = *asked;
        } else if (extension.oid == oid_extended_key_usage) {
            auto purposes = read_purposes(extension.value);
            if (!purposes) return purposes.error();
            extended_key_usage_ = std::move(*purposes);
        }
    }
    return std::nullopt;
}

core::Result<Csr> Csr::parse(BytesView der, CsrDigests allowed) { return read(der, allowed); }

core::Result<Csr> Csr::parse_kept(BytesView kept) { return read(kept, std::nullopt); }

core::Bytes Csr::kept() const {
    core::Bytes out = der_;
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(challenge_at_), challenge_size_, std::uint8_t{'*'});
    return out;
}

core::Result<Csr> Csr::read(BytesView der, std::optional<CsrDigests> allowed) {
    if (core::as_text(der).starts_with("-----BEGIN")) return bad("it is PEM; what is wanted here is DER");
    der::Reader outer(der);
    const auto request = outer.next(der::sequence);
    if (!request) return bad("it is not DER");
    if (!outer.empty()) return bad("bytes follow its end");
    der::Reader parts(request->content);
    const auto info = parts.next(der::sequence);
    const auto algorithm = parts.next(der::sequence);
    const auto signature_bits = parts.next(der::bit_string);
    if (!info || !algorithm || !signature_bits || !parts.empty()) return bad("it is not information, algorithm and signature (RFC 2986 §4.2)");

    der::Reader fields(info->content);
    const auto version = fields.next(der::integer);
    constexpr std::string_view wrong_version = "its version is not 0 (RFC 2986 §4.1)";
    if (!version) return bad(std::string(wrong_version));
    const auto subject = fields.next(der::sequence);
    const auto spki = fields.next(der::sequence);
    if (!subject || !spki) return bad("subject or public key are missing");
    // Some clients leave the empty attributes out, which RFC 2986 does not allow but nothing is lost by.
    std::optional<der::Element> attributes;
    if (!fields.empty()) {
        attributes = fields.next(der::context_constructed(0));
        if (!attributes || !fields.empty()) return bad("what follows its public key is not the attributes");
    }

    // The signature comes first: what it does not cover is not worth reading, and the reader's time would tell
    // about a request that somebody captured encrypted and changed (SCEP).
    Csr csr;
    const auto signature_algorithm = signature_algorithm_from(algorithm->whole);
    const bool sha1 = !signature_algorithm && allowed == CsrDigests::sha1_too && is_rsa_sha1(algorithm->content);
    if (allowed && !signature_algorithm && !sha1) return unsupported_algorithm(algorithm->content);
    const auto signature = der::whole_octets(*signature_bits);
    if (!signature) return bad("its signature is not made of whole octets");
    auto key = PublicKey::from_spki(spki->whole, KeyUse::csr);
    if (!key) return key.error();
    csr.key_ = std::move(*key);
    const bool proven = !allowed ? true
                        : sha1   ? cms_verify(csr.key_, CmsSignatureFamily::rsa, CmsDigest::sha1, info->whole, *signature)
                                 : csr.key_.verify(*signature_algorithm, info->whole, *signature);
    if (!proven) return bad("its signature does not verify with the public key in it; sign the CSR with the matching private key");
    if (!der::is_der(der)) return bad("something within it is not DER (X.690): lengths in their shortest form, strings in one piece, no other forms of BER");
    if (version->content.size() != 1 || version->content[0] != 0) return bad(std::string(wrong_version));

    csr.der_.assign(der.begin(), der.end());
    auto name = DistinguishedName::parse(subject->whole);
    if (!name) return bad(name.error());
    csr.subject_ = std::move(*name);
    if (attributes) {
        auto read = read_attributes(attributes->content);
        if (!read) return read.error();
        csr.unread_attributes_ = std::move(read->unread);
        if (read->challenge_password) {
            csr.challenge_password_ = std::move(*read->challenge_password);
            csr.challenge_at_ = static_cast<std::size_t>(read->challenge_octets.data() - der.data());
            csr.challenge_size_ = read->challenge_octets.size();
        }
        if (read->extensions)
            if (auto problem = csr.read_requested(*read->extensions)) return std::move(*problem);
    }
    return csr;
}

core::Bytes make_csr(const PrivateKey& key, const DistinguishedName& subject, const std::vector<GeneralName>& names) {
    der::Writer info;
    info.begin(der::sequence).small_integer(0).raw(subject.to_der()).raw(key.public_key().spki()).begin(der::context_constructed(0));
    if (!names.empty()) {
        info.begin(der::sequence).oid(oid_extension_request).begin(der::set).begin(der::sequence);
        info.begin(der::sequence).oid(oid_subject_alt_name);
        if (subject.entries.empty()) info.boolean_true();
        info.primitive(der::octet_string, general_names_der(names)).end();
        info.end().end().end();
    }
    info.end().end();
    const SignatureAlgorithm algorithm = key.default_algorithm();
    const Bytes signature = key.sign(algorithm, info.bytes());
    der::Writer out;
    out.begin(der::sequence).raw(info.bytes()).raw(algorithm_identifier(algorithm)).bits(signature).end();
    return out.take();
}

}  // namespace postern::crypto
