#include "validation/acme_certificate.hpp"

#include "core/crypto/der.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"
#include "tests/unit/validation/support.hpp"
#include "validation/tls_alpn_01_validator.hpp"

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
namespace der = crypto::der;

namespace {

constexpr std::string_view acme_identifier = "1.3.6.1.5.5.7.1.31";

const crypto::PrivateKey& key() {
    static const auto made = crypto::PrivateKey::generate(crypto::KeySpec());
    return made;
}

core::Bytes octet_string(core::BytesView content) { return der::Writer().primitive(der::octet_string, content).take(); }
core::Bytes digest_of(std::string_view text) {
    const auto digest = crypto::sha256(text);
    return {digest.begin(), digest.end()};
}
crypto::GeneralName host(std::string name) { return {crypto::GeneralNameType::dns, std::move(name)}; }

/// A certificate of which each part can be wrong.
struct Certificate {
    std::vector<crypto::GeneralName> names{host("www.example.test")};
    core::Bytes identifier = octet_string(digest_of("token.thumbprint"));
    std::string oid{acme_identifier};
    bool critical = true;
    int identifiers = 1;
    bool extensions = true;
    std::string issuer = "acme", subject = "acme";
    crypto::PrivateKey signer = key();

    [[nodiscard]] core::Bytes make() const {
        const auto name = [](const std::string& text) {
            crypto::DistinguishedName dn;
            dn.entries.emplace_back(crypto::DnAttribute::common_name, text);
            return dn.to_der();
        };
        const auto algorithm = crypto::algorithm_identifier(signer.default_algorithm());
        der::Writer tbs;
        tbs.begin(der::sequence).begin(der::context_constructed(0)).small_integer(2).end().small_integer(7).raw(algorithm).raw(name(issuer));
        tbs.begin(der::sequence).time(core::from_ms(1'800'000'000'000)).time(core::from_ms(1'800'100'000'000)).end();
        tbs.raw(name(subject)).raw(key().public_key().spki());
        if (extensions) add_extensions(tbs);
        tbs.end();
        der::Writer whole;
        whole.begin(der::sequence).raw(tbs.bytes()).raw(algorithm).bits(signer.sign(signer.default_algorithm(), tbs.bytes())).end();
        return whole.take();
    }

private:
    void add_extensions(der::Writer& tbs) const {
        tbs.begin(der::context_constructed(3)).begin(der::sequence);
        if (!names.empty()) tbs.begin(der::sequence).oid("2.5.29.17").primitive(der::octet_string, crypto::general_names_der(names)).end();
        for (int i = 0; i < identifiers; ++i) {
            tbs.begin(der::sequence).oid(oid);
            if (critical) tbs.boolean_true();
            tbs.primitive(der::octet_string, identifier).end();
        }
        tbs.end().end();
    }
};

validation::Question question() {
    validation::Question q;
    q.method = "tls-alpn-01";
    q.identifier_type = "dns";
    q.identifier = "www.example.test";
    q.key_authorization = "token.thumbprint";
    return q;
}

void refused(const Certificate& certificate, std::string_view says, const validation::Question& asked = question()) {
    const auto verdict = validation::check_acme_certificate(certificate.make(), asked);
    BOOST_REQUIRE_MESSAGE(!verdict, "was taken, where expected: " << says);
    BOOST_TEST((verdict.error().kind == ProblemKind::incorrect_response));
    has(verdict.error().detail, says);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(validation_acme_certificate)

BOOST_AUTO_TEST_CASE(the_right_one_is_proof) {
    const auto verdict = validation::check_acme_certificate(Certificate().make(), question());
    BOOST_TEST(verdict.has_value(), (verdict ? "" : verdict.error().detail));
    Certificate capitals;
    capitals.names = {host("WWW.example.TEST")};
    BOOST_TEST(validation::check_acme_certificate(capitals.make(), question()).has_value());
}

BOOST_AUTO_TEST_CASE(an_address_stands_as_one) {
    auto asked = question();
    asked.identifier_type = "ip";
    asked.identifier = "192.0.2.7";
    Certificate right;
    right.names = {crypto::GeneralName(crypto::GeneralNameType::ip, "192.0.2.7")};
    BOOST_TEST(validation::check_acme_certificate(right.make(), asked).has_value());
    right.names = {crypto::GeneralName(crypto::GeneralNameType::ip, "192.0.2.8")};
    refused(right, "is for another name; expected 192.0.2.7", asked);
    right.names = {host("192.0.2.7")};
    refused(right, "is for another name", asked);
}

BOOST_AUTO_TEST_CASE(the_name_stands_alone) {
    Certificate c;
    c.names = {};
    refused(c, "has no alternative name; expected www.example.test alone");
    c.names = {host("www.example.test"), host("example.test")};
    refused(c, "has 2 alternative names");
    c.names = {host("www.example.test"), host("www.example.test")};
    refused(c, "has 2 alternative names");
    for (const auto* other : {"example.test", "*.example.test", "www.example.test.", "xwww.example.test"}) {
        c.names = {host(other)};
        refused(c, "is for another name; expected www.example.test");
    }
    c.names = {crypto::GeneralName(crypto::GeneralNameType::email, "www.example.test")};
    refused(c, "");
}

/// RFC 8737 §3, and what was believed elsewhere: threats.md V09.
BOOST_AUTO_TEST_CASE(the_identifier_is_critical_and_the_digest) {
    Certificate c;
    c.identifiers = 0;
    refused(c, "has no acmeIdentifier extension (1.3.6.1.5.5.7.1.31)");
    c = {};
    c.oid = "1.3.6.1.5.5.7.1.30.1";
    refused(c, "has no acmeIdentifier extension");
    c = {};
    c.critical = false;
    refused(c, "not critical");
    c = {};
    c.identifiers = 2;
    refused(c, "is there twice");
    c = {};
    c.extensions = false;
    refused(c, "");
    const auto digest = digest_of("token.thumbprint");
    auto longer = digest;
    longer.push_back(0);
    for (const auto& wrong : {octet_string(digest_of("token.other")), octet_string(core::BytesView(digest).first(31)), octet_string(longer), octet_string({})}) {
        c = {};
        c.identifier = wrong;
        refused(c, "is not the SHA-256 of the key authorization");
    }
    auto trailing = octet_string(digest);
    trailing.push_back(0);
    for (const auto& broken : {digest, trailing, core::Bytes()}) {
        c = {};
        c.identifier = broken;
        refused(c, "");
    }
}

BOOST_AUTO_TEST_CASE(it_signs_itself) {
    Certificate c;
    c.issuer = "another";
    refused(c, "issuer and subject differ");
    c = {};
    c.signer = crypto::PrivateKey::generate(crypto::KeySpec());
    refused(c, "its own key did not make the signature");
}

BOOST_AUTO_TEST_CASE(what_is_no_certificate_is_none) {
    auto cut = Certificate().make();
    cut.pop_back();
    for (const auto& octets : {core::Bytes(), core::Bytes{0x30, 0x00}, cut}) {
        const auto verdict = validation::check_acme_certificate(octets, question());
        BOOST_TEST_REQUIRE(!verdict.has_value());
        has(verdict.error().detail, "the certificate shown cannot be read");
    }
}

BOOST_AUTO_TEST_CASE(addresses_are_asked_for_by_their_reverse_name) {
    BOOST_TEST(validation::reverse_name("192.0.2.7") == "7.2.0.192.in-addr.arpa");
    BOOST_TEST(validation::reverse_name("2001:db8::1") ==
               "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");  // RFC 8738 §6 has the form
    BOOST_TEST(validation::reverse_name("www.example.test") == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(validation_tls_alpn_01)

/// What is on the wire, conformance/acme/strict/tls_alpn_01.py asks with real TLS servers.
struct Fixture {
    Fixture() {
        config.guard = &loopback_is_public;
        config.time = 5s;
        resolver.add("www.example.test", {"127.0.0.1"});
    }
    validation::Finding run() {
        const auto validator = validation::make_tls_alpn_01_validator(resolver, config);
        return core::run_to_end(validator->validate(asked, core::deadline_in(20s)));
    }
    ScriptedResolver resolver;
    validation::TlsAlpn01Config config;
    validation::Question asked = question();
};

BOOST_FIXTURE_TEST_CASE(what_is_no_tls_may_pass, Fixture) {
    const RawServer server(http_answer("200 OK", "hello"));
    config.port = server.port();
    const auto finding = run();
    BOOST_TEST_REQUIRE(!finding.verdict.has_value());
    BOOST_TEST((finding.passing && finding.verdict.error().kind != ProblemKind::incorrect_response));
    has(finding.verdict.error().detail, "While connecting to 127.0.0.1:" + std::to_string(server.port()) + " for www.example.test: ");
}

BOOST_FIXTURE_TEST_CASE(forbidden_addresses_are_not_dialled, Fixture) {
    const RawServer server([](const std::string&, RawServer::Socket&) {}, "127.0.0.66");
    config.port = server.port();
    for (const bool address : {false, true}) {
        if (address) asked.identifier_type = "ip", asked.identifier = "127.0.0.66";
        else resolver.add("private.example.test", {"127.0.0.66"}), asked.identifier = "private.example.test";
        const auto finding = run();
        BOOST_TEST_REQUIRE(!finding.verdict.has_value());
        has(finding.verdict.error().detail, "127.0.0.66 is private (for this test); only public addresses are contacted");
        BOOST_TEST(!finding.passing);
    }
    BOOST_TEST(server.connections() == 0);
}

BOOST_FIXTURE_TEST_CASE(nobody_configured_another_port, Fixture) {
    const validation::TlsAlpn01Config usual;
    BOOST_TEST((usual.port == 443 && usual.time == 10s && !usual.private_targets && usual.guard == &validation::why_forbidden));
}

BOOST_AUTO_TEST_SUITE_END()
