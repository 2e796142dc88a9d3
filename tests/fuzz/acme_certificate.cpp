// validation::check_acme_certificate: what answers one challenge answers no other.
#include "validation/acme_certificate.hpp"

#include "core/crypto/certificate.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {

/// The first octet chooses between a name and an address.
Outcome acme_certificate(core::BytesView input) {
    if (input.empty()) return Outcome::refused;
    const auto der = exact_copy(input.subspan(1));
    validation::Question question;
    question.method = "tls-alpn-01";
    question.identifier_type = input[0] % 2 == 0 ? "dns" : "ip";
    question.identifier = input[0] % 2 == 0 ? "a.example" : "192.0.2.7";
    question.key_authorization = "token.thumbprint";
    const auto verdict = validation::check_acme_certificate(der, question);
    if (!verdict) {
        require(verdict.error().kind == core::ProblemKind::incorrect_response && verdict.error().detail.starts_with("the certificate shown "), "a refusal says what is wrong");
        return Outcome::refused;
    }
    const auto certificate = crypto::Certificate::parse(der);
    require(certificate && certificate->alt_names().size() == 1, "it has one name");
    require(certificate->issuer_der() == certificate->subject_der(), "it names itself as its issuer");
    auto other = question;
    other.key_authorization = "token.another";
    require(!validation::check_acme_certificate(der, other), "it answers no other account");
    other = question;
    other.identifier = "b.example";
    require(!validation::check_acme_certificate(der, other), "it answers for no other name");
    auto spoilt = der;
    spoilt.back() ^= 1U;
    require(!validation::check_acme_certificate(spoilt, question), "its signature counts");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
