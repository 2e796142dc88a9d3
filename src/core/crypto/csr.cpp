#include "core/crypto/csr.hpp"

#include <algorithm>
#include <array>

#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"
#include "core/crypto/request_attributes.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::string_view oid_extension_request = "1.2.840.113549.1.9.14";

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

/// `subject` is a Name, `extensions` an Extensions or nothing.
Bytes signed_request(const PrivateKey& key, BytesView subject, BytesView extensions) {
    der::Writer info;
    info.begin(der::sequence).small_integer(0).raw(subject).raw(key.public_key().spki()).begin(der::context_constructed(0));
    if (!extensions.empty()) info.begin(der::sequence).oid(oid_extension_request).begin(der::set).raw(extensions).end().end();
    info.end().end();
    const SignatureAlgorithm algorithm = key.default_algorithm();
    const Bytes signature = key.sign(algorithm, info.bytes());
    der::Writer out;
    out.begin(der::sequence).raw(info.bytes()).raw(algorithm_identifier(algorithm)).bits(signature).end();
    return out.take();
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

core::Result<Csr> Csr::parse(BytesView der, CsrDigests allowed) { return read(der, Judged::key_and_signature, allowed); }
bool Csr::is_quick(BytesView der) noexcept {
    der::Reader outer(der);
    const auto request = outer.next(der::sequence);
    der::Reader parts(request ? request->content : BytesView());
    const auto info = parts.next(der::sequence);
    der::Reader fields(info ? info->content : BytesView());
    if (!fields.next(der::integer) || !fields.next(der::sequence)) return false;
    const auto spki = fields.next(der::sequence);
    const auto& prefix = curve_of(KeyType::ec_p256)->spki_prefix;
    return spki && spki->whole.size() > prefix.size() && std::ranges::equal(spki->whole.first(prefix.size()), prefix);
}
core::Result<Csr> Csr::parse_kept(BytesView kept) { return read(kept, Judged::key, CsrDigests::modern); }
core::Result<Csr> Csr::parse_for_new_key(BytesView der) { return read(der, Judged::nothing, CsrDigests::modern); }

core::Bytes Csr::kept() const {
    core::Bytes out = der_;
    const auto read = read_request_attributes(attributes());
    if (!read) return out;  // was read before
    for (const auto secret : read->secrets) std::fill_n(out.begin() + (secret.data() - der_.data()), secret.size(), std::uint8_t{'*'});
    return out;
}

core::Bytes Csr::remade(const PrivateKey& key) const {
    const auto read = read_request_attributes(attributes());
    der::Reader outer(der_);
    der::Reader info(der::Reader(outer.next(der::sequence).value().content).next(der::sequence).value().content);
    info.next(der::integer);
    const auto subject = info.next(der::sequence);
    return signed_request(key, subject.value().whole, read ? read->extensions.value_or(BytesView()) : BytesView());
}

core::Result<Csr> Csr::read(BytesView der, Judged judged, CsrDigests allowed) {
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
    const bool signature_counts = judged == Judged::key_and_signature;
    const bool sha1 = !signature_algorithm && allowed == CsrDigests::sha1_too && is_rsa_sha1(algorithm->content);
    if (signature_counts && !signature_algorithm && !sha1) return unsupported_algorithm(algorithm->content);
    const auto signature = der::whole_octets(*signature_bits);
    if (signature_counts && !signature) return bad("its signature is not made of whole octets");
    auto key = PublicKey::from_spki(spki->whole, KeyUse::csr);
    if (!key && judged != Judged::nothing) return key.error();
    if (key) csr.key_ = std::move(*key);
    const bool proven = !signature_counts ? true
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
        auto read = read_request_attributes(attributes->content);
        if (!read) return read.error();
        csr.attributes_at_ = static_cast<std::size_t>(attributes->content.data() - der.data());
        csr.attributes_size_ = attributes->content.size();
        csr.unread_attributes_ = std::move(read->unread);
        if (read->challenge_password) csr.challenge_password_ = std::move(*read->challenge_password);
        if (read->extensions)
            if (auto problem = csr.read_requested(*read->extensions)) return std::move(*problem);
    }
    return csr;
}

core::Bytes make_csr(const PrivateKey& key, const DistinguishedName& subject, const std::vector<GeneralName>& names) {
    der::Writer extensions;
    if (!names.empty()) {
        extensions.begin(der::sequence).begin(der::sequence).oid(oid_subject_alt_name);
        if (subject.entries.empty()) extensions.boolean_true();
        extensions.primitive(der::octet_string, general_names_der(names)).end().end();
    }
    return signed_request(key, subject.to_der(), extensions.bytes());
}

}  // namespace postern::crypto
