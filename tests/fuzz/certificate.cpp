// crypto::Certificate: every field is one of the bytes that were read, and reading them again gives
// the same certificate.
#include "core/crypto/certificate.hpp"

#include "core/crypto/der.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using crypto::Certificate;

void check_same(const Certificate& a, const Certificate& b) {
    require(a.der() == b.der() && a.serial() == b.serial() && a.spki() == b.spki() && a.subject_der() == b.subject_der() &&
                a.issuer_der() == b.issuer_der() && a.not_before() == b.not_before() && a.not_after() == b.not_after() &&
                a.alt_names() == b.alt_names() && a.authority_key_id() == b.authority_key_id() && a.subject_key_id() == b.subject_key_id() &&
                a.is_ca() == b.is_ca() && a.subject().to_text() == b.subject().to_text(),
            "the same bytes give the same certificate");
}

void check_fields(const Certificate& c) {
    const core::BytesView der = c.der();
    const core::BytesView tbs = c.tbs();
    require(tbs.data() > der.data() && tbs.data() + tbs.size() < der.data() + der.size(), "the signed part lies inside");
    crypto::der::Reader signed_part(tbs);
    const auto sequence = signed_part.next(crypto::der::sequence);
    require(sequence && signed_part.empty(), "the signed part is one sequence");
    for (const auto* field : {&c.serial(), &c.issuer_der(), &c.subject_der(), &c.spki(), &c.authority_key_id(), &c.subject_key_id()})
        require(lies_in(*field, sequence->content), "every field lies in the signed part");
    require(!c.serial().empty() && c.serial().size() <= 20 && c.serial().front() != 0, "a serial is positive and has at most 20 octets");
    for (const auto& name : c.alt_names())
        if (name.type == crypto::GeneralNameType::dns) require(lies_in(core::as_bytes(name.value), tbs), "a name is one that was signed");
    const auto subject = crypto::DistinguishedName::parse(c.subject_der());
    require(subject && subject->to_text() == c.subject().to_text(), "the subject is the subject's DER");
}

}  // namespace

Outcome certificate(core::BytesView input) {
    const auto parsed = Certificate::parse(input);
    if (!parsed) {
        require(parsed.error().kind == core::ProblemKind::malformed && !parsed.error().detail.empty(), "a refusal is malformed and says why");
        return Outcome::refused;
    }
    require(parsed->der() == core::to_bytes(input), "the certificate is what was read");
    check_fields(*parsed);
    const auto again = Certificate::parse(parsed->der());
    require(again.has_value(), "what was read reads again");
    check_same(*parsed, *again);
    const Certificate copy = *parsed;
    require(lies_in(copy.tbs(), copy.der()), "a copy's signed part lies in the copy");
    if (const auto key = crypto::PublicKey::from_spki(parsed->spki(), crypto::KeyUse::authority)) (void)parsed->signed_by(*key);
    return Outcome::accepted;
}

}  // namespace postern::fuzz
