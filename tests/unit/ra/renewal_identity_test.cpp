#include "ra/renewal.hpp"

#include "core/crypto/certificate_template.hpp"
#include "core/crypto/security_identifier.hpp"
#include "tests/unit/ra/world.hpp"

/// What a certificate's own names say about its renewal; the rest needs a record (conformance/scep).
BOOST_AUTO_TEST_SUITE(ra_renewal_identity)

using namespace postern;
using namespace postern::test;
using crypto::GeneralName;
using crypto::GeneralNameType;

namespace {

const std::string sid = "S-1-5-21-1-2-3-1104";

/// The right that a certificate with those names gives, and a CSR that asks for the same.
struct Renewal {
    explicit Renewal(const std::vector<GeneralName>& names, const std::string& identifier = {}) {
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, "Jane");
        const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
        crypto::CertificateShape shape;
        shape.issuer_der = subject.to_der();
        crypto::CertificateFields fields;
        fields.serial = core::Bytes(16, 0x11);
        fields.not_before = core::from_ms(1'800'000'000'000);
        fields.not_after = fields.not_before + 24h;
        fields.subject_der = subject.to_der();
        fields.spki = key.public_key().spki();
        fields.alt_names = names;
        fields.security_identifier = identifier;
        const auto tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
        const auto signature = key.sign(crypto::SignatureAlgorithm::ecdsa_sha256, tbs);
        right.certificate = crypto::Certificate::parse(crypto::assemble_signed(tbs, crypto::SignatureAlgorithm::ecdsa_sha256, signature)).value();
        csr = crypto::Csr::parse(crypto::make_csr(key, subject, names)).value();
    }
    core::Result<void> check(World& w) { return w.run(ra::check_renewal_names(w.db, right, csr)); }
    ra::RenewalRight right;
    crypto::Csr csr;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_same_names_are_renewed) {
    World w;
    Renewal renewal({GeneralName(GeneralNameType::upn, "jane@corp.example"), GeneralName(GeneralNameType::email, "jane@corp.example"), GeneralName(GeneralNameType::uri, "urn:device:7")});
    BOOST_TEST(renewal.check(w).has_value());
}

BOOST_AUTO_TEST_CASE(a_certificate_with_a_security_identifier_renews_nothing) {
    World w;
    const GeneralName jane(GeneralNameType::upn, "jane@corp.example");
    for (auto& renewal : {Renewal({GeneralName(GeneralNameType::uri, "tag:microsoft.com,2022-09-14:sid:" + sid)}), Renewal({jane}, sid), Renewal({jane}, "S-1-5-18"),
                          Renewal({GeneralName(GeneralNameType::uri, "tag:microsoft.com%2C2022-09-14:sid:" + sid)})}) {
        auto each = renewal;
        const auto checked = each.check(w);
        BOOST_TEST_REQUIRE(!checked.has_value());
        check_problem(checked.error(), core::ProblemKind::forbidden, "renewal.security_identifier", "enroll with a challenge of Intune");
    }
}

BOOST_AUTO_TEST_SUITE_END()
