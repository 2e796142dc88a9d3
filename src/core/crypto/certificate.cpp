#include "core/crypto/certificate.hpp"

#include <algorithm>

#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::size_t longest_serial = 20;  // RFC 5280 §4.1.2.2

Problem bad(std::string detail) { return {ProblemKind::malformed, "the certificate cannot be read: " + std::move(detail)}; }

core::Result<Bytes> read_authority_key_id(BytesView value) {
    der::Reader outer(value);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return bad("authorityKeyIdentifier is not the DER of one sequence");
    der::Reader fields(sequence->content);
    Bytes id;  // empty where issuer and serial stand alone
    for (const auto tag : {der::context(0), der::context_constructed(1), der::context(2)}) {
        if (fields.peek() != tag) continue;
        const auto field = fields.next();
        if (!field) return bad("authorityKeyIdentifier is broken");
        if (tag == der::context(0)) id = core::to_bytes(field->content);
    }
    if (!fields.empty()) return bad("authorityKeyIdentifier is broken");
    return id;
}

core::Result<bool> read_basic_constraints(BytesView value) {
    der::Reader outer(value);
    const auto sequence = outer.next(der::sequence);
    if (!sequence || !outer.empty()) return bad("basicConstraints is not the DER of one sequence");
    der::Reader fields(sequence->content);
    bool ca = false;
    if (fields.peek() == der::boolean) {
        const auto flag = fields.next(der::boolean);
        const auto flag_value = flag ? der::read_boolean(*flag) : std::nullopt;
        if (!flag_value) return bad("basicConstraints has a broken flag");
        ca = *flag_value;
    }
    if (!fields.empty()) {
        const auto length = fields.next(der::integer);
        if (!length || !der::unsigned_magnitude(*length) || !fields.empty()) return bad("basicConstraints has a broken pathLenConstraint");
    }
    return ca;
}

}  // namespace

std::optional<Problem> Certificate::read_extensions_into(BytesView sequence_der) {
    const auto extensions = read_extensions(sequence_der);
    if (!extensions) return bad(extensions.error().detail);
    for (const auto& extension : *extensions) {
        if (extension.oid == oid_subject_alt_name) {
            auto names = parse_general_names(extension.value);
            if (!names) return bad(names.error().detail);
            alt_names_ = std::move(*names);
        } else if (extension.oid == oid_authority_key_id) {
            auto id = read_authority_key_id(extension.value);
            if (!id) return id.error();
            authority_key_id_ = std::move(*id);
        } else if (extension.oid == oid_subject_key_id) {
            der::Reader reader(extension.value);
            const auto id = reader.next(der::octet_string);
            if (!id || !reader.empty()) return bad("subjectKeyIdentifier is not an OCTET STRING");
            subject_key_id_ = core::to_bytes(id->content);
        } else if (extension.oid == oid_basic_constraints) {
            const auto ca = read_basic_constraints(extension.value);
            if (!ca) return ca.error();
            is_ca_ = *ca;
        }
    }
    return std::nullopt;
}

std::optional<Problem> Certificate::read_tbs(BytesView content) {
    der::Reader fields(content);
    bool version_3 = false;
    if (fields.peek() == der::context_constructed(0)) {
        const auto wrapped = fields.next();
        der::Reader inner(wrapped ? wrapped->content : BytesView());
        const auto version = inner.next(der::integer);
        if (!version || !inner.empty() || version->content.size() != 1 || version->content[0] < 1 || version->content[0] > 2)
            return bad("its version is neither 1, 2 nor 3");
        version_3 = version->content[0] == 2;
    }
    const auto serial = fields.next(der::integer);
    const auto magnitude = serial ? der::unsigned_magnitude(*serial) : std::nullopt;
    if (!magnitude || magnitude->size() > longest_serial || magnitude->front() == 0)
        return bad("its serial number is not a positive INTEGER of at most 20 octets");
    serial_ = core::to_bytes(*magnitude);
    const auto algorithm = fields.next(der::sequence);
    if (!algorithm || !std::ranges::equal(algorithm->whole, algorithm_))
        return bad("the signature algorithms inside and outside of the signed part differ (RFC 5280 §4.1.1.2)");
    const auto issuer = fields.next(der::sequence);
    if (!issuer) return bad("its issuer is missing");
    issuer_der_ = core::to_bytes(issuer->whole);

    const auto validity = fields.next(der::sequence);
    der::Reader times(validity ? validity->content : BytesView());
    const auto from = times.next();
    const auto until = times.next();
    const auto not_before = from ? der::read_time(*from) : std::nullopt;
    const auto not_after = until ? der::read_time(*until) : std::nullopt;
    if (!not_before || !not_after || !times.empty()) return bad("its validity is not two times in UTC");
    not_before_ = *not_before;
    not_after_ = *not_after;

    const auto subject = fields.next(der::sequence);
    if (!subject) return bad("its subject is missing");
    subject_der_ = core::to_bytes(subject->whole);
    auto name = DistinguishedName::parse(subject->whole);
    if (!name) return bad(name.error().detail);
    subject_ = std::move(*name);
    const auto spki = fields.next(der::sequence);
    if (!spki) return bad("its public key is missing");
    spki_ = core::to_bytes(spki->whole);

    // The unique identifiers of version 2: nobody uses them.
    for (const unsigned n : {1U, 2U})
        if (fields.peek() == der::context(n)) fields.next();
    if (fields.empty()) return std::nullopt;
    const auto extensions = fields.next(der::context_constructed(3));
    if (!extensions || !fields.empty()) return bad("what follows its public key is not the extensions");
    if (!version_3) return bad("it has extensions but is not version 3");
    return read_extensions_into(extensions->content);
}

core::Result<Certificate> Certificate::parse(BytesView der) {
    der::Reader outer(der);
    const auto whole = outer.next(der::sequence);
    if (!whole) return bad("it is not DER");
    if (!outer.empty()) return bad("bytes follow its end");
    if (!der::is_der(der)) return bad("something within it is not DER (X.690)");
    der::Reader parts(whole->content);
    const auto tbs = parts.next(der::sequence);
    const auto algorithm = parts.next(der::sequence);
    const auto signature_bits = parts.next(der::bit_string);
    if (!tbs || !algorithm || !signature_bits || !parts.empty()) return bad("it is not content, algorithm and signature (RFC 5280 §4.1)");
    const auto signature = der::whole_octets(*signature_bits);
    if (!signature) return bad("its signature is not made of whole octets");

    Certificate certificate;
    certificate.der_ = core::to_bytes(der);
    certificate.tbs_offset_ = static_cast<std::size_t>(tbs->whole.data() - der.data());
    certificate.tbs_size_ = tbs->whole.size();
    certificate.algorithm_ = core::to_bytes(algorithm->whole);
    certificate.signature_ = core::to_bytes(*signature);
    if (auto problem = certificate.read_tbs(tbs->content)) return std::move(*problem);
    return certificate;
}

bool Certificate::signed_by(const PublicKey& issuer) const {
    const auto algorithm = signature_algorithm_from(algorithm_);
    return algorithm && issuer.verify(*algorithm, tbs(), signature_);
}

}  // namespace postern::crypto
