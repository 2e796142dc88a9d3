// crypto::read_ocsp_response: what is proven is proven by a signature over every octet of it.
// Input: the issuer's certificate, the one that was asked about and the response, each DER, one after the other.
#include "core/crypto/ocsp.hpp"

#include "core/crypto/der.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {

Outcome ocsp(core::BytesView input) {
    crypto::der::Reader parts(input);
    const auto issuer = parts.next(crypto::der::sequence), leaf = parts.next(crypto::der::sequence);
    if (!issuer || !leaf) return Outcome::refused;
    const auto response = exact_copy(input.subspan(issuer->whole.size() + leaf->whole.size()));
    auto by = crypto::Certificate::parse(issuer->whole), about = crypto::Certificate::parse(leaf->whole);
    if (!by || !about) return Outcome::refused;
    crypto::OcspQuestion question;
    question.issuer = std::move(*by);
    question.certificate = std::move(*about);
    question.nonce = core::Bytes(16, 0x11);
    const auto now = question.certificate.not_before() + std::chrono::hours(1);
    (void)crypto::ocsp_request(question);
    const auto answer = crypto::read_ocsp_response(response, question, now);
    if (!answer) {
        require(!answer.error().detail.empty(), "a refusal says why");
        return Outcome::refused;
    }
    using Status = crypto::OcspAnswer::Status;
    require((answer->status == Status::revoked) == answer->revoked.has_value(), "what is revoked is so since a time");
    require(answer->this_update <= now + std::chrono::minutes(5), "an answer is not of tomorrow");
    require(!crypto::read_ocsp_response(core::BytesView(response).first(response.size() - 1), question, now), "a response that was cut proves nothing");
    auto changed = response;
    changed[changed.size() / 2] ^= 1U;
    const auto other = crypto::read_ocsp_response(changed, question, now);
    // Octets of certificates beside the signature may change without changing what is proven.
    require(!other || (other->status == answer->status && other->this_update == answer->this_update), "a changed response proves nothing else");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
