#include "core/crypto/ocsp.hpp"

#include <algorithm>

#include "core/crypto/certificate_uses.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/extensions.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;
using core::Result;

constexpr std::string_view oid_sha1 = "1.3.14.3.2.26";
constexpr std::string_view oid_basic_response = "1.3.6.1.5.5.7.48.1.1";
constexpr std::string_view oid_nonce = "1.3.6.1.5.5.7.48.1.2";
constexpr std::size_t most_certificates = 8, most_responses = 64;
/// Clocks of two houses; and how old an answer may be that does not say until when it counts.
constexpr std::chrono::minutes clocks_apart{5};
constexpr std::chrono::hours longest_without_end{24};

Problem bad(std::string why) { return {ProblemKind::malformed, "the OCSP response cannot be read: " + std::move(why)}; }
Problem unproven(std::string why) { return {ProblemKind::unauthenticated, "the OCSP response proves nothing: " + std::move(why)}; }

/// How a request names a certificate (§4.1.1).
struct CertId {
    Bytes name_hash, key_hash, serial;
    bool operator==(const CertId&) const = default;
};

CertId cert_id(const OcspQuestion& question, const PublicKey& issuer) {
    CertId out;
    const auto name = sha1(question.certificate.issuer_der());
    out.name_hash.assign(name.begin(), name.end());
    out.key_hash = issuer.key_identifier();
    out.serial = question.certificate.serial();
    return out;
}

std::optional<CertId> read_cert_id(BytesView content) {
    der::Reader fields(content);
    const auto algorithm = fields.next(der::sequence);
    const auto name = fields.next(der::octet_string);
    const auto key = fields.next(der::octet_string);
    const auto serial = fields.next(der::integer);
    if (!algorithm || !name || !key || !serial || !fields.empty()) return std::nullopt;
    der::Reader inner(algorithm->content);
    const auto oid = inner.next(der::oid);
    const auto magnitude = der::unsigned_magnitude(*serial);
    if (!oid || !magnitude || der::oid_text(oid->content) != oid_sha1) return std::nullopt;
    CertId out;
    out.name_hash = core::to_bytes(name->content);
    out.key_hash = core::to_bytes(key->content);
    out.serial = core::to_bytes(*magnitude);
    return out;
}

/// tbsResponseData and what signs it, borrowed from the response.
struct Signed {
    BytesView tbs, tbs_content, algorithm, signature;
    std::vector<BytesView> certificates;
};

Result<Signed> read_signed(BytesView basic) {
    der::Reader outer(basic);
    const auto whole = outer.next(der::sequence);
    if (!whole || !outer.empty()) return bad("its content is not DER");
    der::Reader parts(whole->content);
    const auto tbs = parts.next(der::sequence);
    const auto algorithm = parts.next(der::sequence);
    const auto bits = parts.next(der::bit_string);
    const auto signature = bits ? der::whole_octets(*bits) : std::nullopt;
    if (!tbs || !algorithm || !signature) return bad("it is not content, algorithm and signature (RFC 6960 §4.2.1)");
    Signed out;
    out.tbs = tbs->whole;
    out.tbs_content = tbs->content;
    out.algorithm = algorithm->whole;
    out.signature = *signature;
    if (parts.empty()) return out;
    const auto wrapped = parts.next(der::context_constructed(0));
    der::Reader inner(wrapped ? wrapped->content : BytesView());
    const auto list = inner.next(der::sequence);
    if (!list || !parts.empty()) return bad("its certificates are broken");
    der::Reader certificates(list->content);
    while (!certificates.empty()) {
        const auto one = certificates.next(der::sequence);
        if (!one || out.certificates.size() == most_certificates) return bad("its certificates are broken or too many");
        out.certificates.push_back(one->whole);
    }
    return out;
}

/// The BasicOCSPResponse within; `unavailable` for a responder that says that it has no answer.
Result<BytesView> basic_response(BytesView response) {
    constexpr unsigned try_later = 3, internal_error = 2;
    der::Reader outer(response);
    const auto whole = outer.next(der::sequence);
    if (!whole || !outer.empty() || !der::is_der(response)) return bad("it is not DER");
    der::Reader fields(whole->content);
    const auto status = fields.next(der::enumerated);
    if (!status || status->content.size() != 1) return bad("it has no status");
    const unsigned code = status->content[0];
    if (code == try_later || code == internal_error) return Problem(ProblemKind::unavailable, "the OCSP responder has no answer now (status " + std::to_string(code) + ")");
    if (code != 0) return unproven("the responder refuses to answer (status " + std::to_string(code) + ")");
    const auto wrapped = fields.next(der::context_constructed(0));
    der::Reader inner(wrapped ? wrapped->content : BytesView());
    const auto bytes = inner.next(der::sequence);
    der::Reader typed(bytes ? bytes->content : BytesView());
    const auto type = typed.next(der::oid);
    const auto content = typed.next(der::octet_string);
    if (!type || !content || der::oid_text(type->content) != oid_basic_response) return bad("its type is not id-pkix-ocsp-basic");
    return content->content;
}

bool verifies(const Signed& it, const PublicKey& key) {
    const auto algorithm = signature_algorithm_from(it.algorithm);
    return algorithm && key.verify(*algorithm, it.tbs, it.signature);
}

/// §4.2.2.2: the issuer itself, or whom the issuer's own certificate names for it.
Result<void> check_signer(const Signed& it, const OcspQuestion& question, const PublicKey& issuer, core::TimePoint now) {
    if (!signature_algorithm_from(it.algorithm)) return unproven("its signature algorithm is not supported (SHA-256, SHA-384 or SHA-512 with RSA or ECDSA)");
    if (verifies(it, issuer)) return {};
    std::string why = "it is signed neither by the issuer nor by a responder whose certificate is in it";
    for (const auto der : it.certificates) {
        const auto responder = Certificate::parse(der);
        if (!responder) continue;
        const auto key = PublicKey::from_spki(responder->spki(), KeyUse::authority);
        if (!key || !verifies(it, *key)) continue;
        const auto uses = extended_key_usage(*responder);
        if (responder->issuer_der() != question.issuer.subject_der() || !responder->signed_by(issuer))
            why = "the responder's certificate is not issued by the CA that it answers for";
        else if (!uses || std::find(uses->begin(), uses->end(), eku_ocsp_signing) == uses->end())
            why = "the responder's certificate is not for OCSP signing";
        else if (now < responder->not_before() || now > responder->not_after())
            why = "the responder's certificate is valid from " + core::rfc3339(responder->not_before()) + " to " + core::rfc3339(responder->not_after());
        else
            return {};
    }
    return unproven(std::move(why));
}

/// One SingleResponse; nullopt for one about another certificate.
Result<std::optional<OcspAnswer>> read_single(BytesView content, const CertId& wanted) {
    der::Reader fields(content);
    const auto id = fields.next(der::sequence);
    if (!id) return bad("an answer names no certificate");
    if (read_cert_id(id->content) != wanted) return std::optional<OcspAnswer>();
    OcspAnswer out;
    const auto status = fields.next();
    if (status && status->tag == der::context(0)) {
        out.status = OcspAnswer::Status::good;
    } else if (status && status->tag == der::context_constructed(1)) {
        out.status = OcspAnswer::Status::revoked;
        der::Reader info(status->content);
        const auto time = info.next(der::generalized_time);
        out.revoked = time ? der::read_time(*time) : std::nullopt;
        if (!out.revoked) return bad("the time of the revocation is none");
    } else if (!status || status->tag != der::context(2)) {
        return bad("a status is neither good, revoked nor unknown");
    }
    const auto from = fields.next(der::generalized_time);
    const auto this_update = from ? der::read_time(*from) : std::nullopt;
    if (!this_update) return bad("thisUpdate is no time");
    out.this_update = *this_update;
    if (fields.peek() == der::context_constructed(0)) {
        const auto wrapped = fields.next();
        der::Reader inner(wrapped ? wrapped->content : BytesView());
        const auto until = inner.next(der::generalized_time);
        out.next_update = until ? der::read_time(*until) : std::nullopt;
        if (!out.next_update) return bad("nextUpdate is no time");
    }
    return std::optional<OcspAnswer>(out);
}

/// The nonce, where there is any, must be the one that was sent (§4.4.1).
Result<void> check_nonce(BytesView extensions_der, const Bytes& sent) {
    const auto extensions = read_extensions(extensions_der);
    if (!extensions) return bad("its extensions are broken");
    for (const auto& extension : *extensions) {
        if (extension.oid == oid_nonce) {
            der::Reader reader(extension.value);
            const auto nonce = reader.next(der::octet_string);
            if (!nonce || !reader.empty() || !std::ranges::equal(nonce->content, sent)) return unproven("its nonce is another request's");
        } else if (extension.critical) {
            return unproven("it has the critical extension " + extension.oid);
        }
    }
    return {};
}

Result<OcspAnswer> read_data(BytesView content, const OcspQuestion& question, const CertId& wanted) {
    der::Reader fields(content);
    if (fields.peek() == der::context_constructed(0)) fields.next();  // version 1 in words
    const auto responder = fields.next();
    const auto produced = fields.next(der::generalized_time);
    const auto list = fields.next(der::sequence);
    if (!responder || !produced || !list) return bad("it names no responder, time and answers");
    if (!fields.empty()) {
        const auto wrapped = fields.next(der::context_constructed(1));
        if (!wrapped || !fields.empty()) return bad("what follows its answers is not the extensions");
        if (auto same = check_nonce(wrapped->content, question.nonce); !same) return same.error();
    }
    der::Reader answers(list->content);
    for (std::size_t at = 0; !answers.empty(); ++at) {
        const auto one = answers.next(der::sequence);
        if (!one || at == most_responses) return bad("its answers are broken or too many");
        auto answer = read_single(one->content, wanted);
        if (!answer) return answer.error();
        if (*answer) return std::move(**answer);
    }
    return unproven("it says nothing of this certificate");
}

}  // namespace

Result<Bytes> ocsp_request(const OcspQuestion& question) {
    const auto issuer = PublicKey::from_spki(question.issuer.spki(), KeyUse::authority);
    if (!issuer) return issuer.error();
    const auto id = cert_id(question, *issuer);
    der::Writer w;
    w.begin(der::sequence).begin(der::sequence);
    w.begin(der::sequence).begin(der::sequence).begin(der::sequence);
    w.begin(der::sequence).oid(oid_sha1).primitive(der::null, {}).end();
    w.primitive(der::octet_string, id.name_hash).primitive(der::octet_string, id.key_hash).unsigned_integer(id.serial);
    w.end().end().end();
    w.begin(der::context_constructed(2)).begin(der::sequence).begin(der::sequence).oid(oid_nonce);
    w.begin(der::octet_string).primitive(der::octet_string, question.nonce).end();
    w.end().end().end();
    w.end().end();
    return w.take();
}

Result<OcspAnswer> read_ocsp_response(BytesView response, const OcspQuestion& question, core::TimePoint now) {
    const auto issuer = PublicKey::from_spki(question.issuer.spki(), KeyUse::authority);
    if (!issuer) return issuer.error();
    const auto basic = basic_response(response);
    if (!basic) return basic.error();
    if (!der::is_der(*basic)) return bad("its content is not DER");
    const auto it = read_signed(*basic);
    if (!it) return it.error();
    if (auto good = check_signer(*it, question, *issuer, now); !good) return good.error();
    auto answer = read_data(it->tbs_content, question, cert_id(question, *issuer));
    if (!answer) return answer;
    const auto until = answer->next_update.value_or(answer->this_update + longest_without_end);
    if (answer->this_update > now + clocks_apart) return unproven("it is of " + core::rfc3339(answer->this_update) + ", which is not yet");
    if (until + clocks_apart < now) return unproven("it counted until " + core::rfc3339(until));
    return answer;
}

}  // namespace postern::crypto
