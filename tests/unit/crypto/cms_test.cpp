// SignedData and EnvelopedData against the openssl command line, both ways, and their bounds.
#include <boost/test/unit_test.hpp>

#include "core/crypto/cms_build.hpp"
#include "core/crypto/cms_content.hpp"
#include "core/crypto/cms_enveloped.hpp"
#include "core/crypto/cms_signed.hpp"
#include "core/crypto/system_random.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace der = crypto::der;
using core::ProblemKind;
using crypto::CmsCipher;
using crypto::CmsDigest;
using crypto::CmsEnvelopedData;
using crypto::CmsIdentity;
using crypto::CmsSignedData;
using test::contains;
using test::refusal;

namespace {

core::Bytes scep(std::string_view name) { return test::data_file("../scep/" + std::string(name)); }
CmsIdentity identity(std::string_view certificate, std::string_view key) {
    return {crypto::CmsCertificate::parse(scep(std::string(certificate) + ".der")).value(),
            crypto::PrivateKey::from_pem(core::as_text(scep(std::string(key) + ".key.pem"))).value()};
}
const std::vector<CmsIdentity>& keys() {
    static const std::vector<CmsIdentity> value{identity("ra", "ra")};
    return value;
}
crypto::SystemRandom random_source;
const core::Bytes text = test::octets("what is said");

/// openssl in a folder with the RA's certificate and key as ra.pem and ra.key, `in` as the input; gives `out`.
core::Bytes openssl(const std::string& arguments, core::BytesView in) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("in", in);
    folder.write("ra.der", scep("ra.der"));
    folder.write("ra.key", scep("ra.key.pem"));
    const auto done = test::run("cd " + path.substr(0, path.size() - 2) + " && (openssl x509 -inform DER -in ra.der -out ra.pem && openssl cms -binary -in in -out out " +
                                arguments + ") 2>said && od -An -v -tx1 out | tr -d ' \\n' || cat said");
    const auto found = core::from_hex(done.output);
    BOOST_REQUIRE_MESSAGE(done.status == 0 && found, done.output);
    return *found;
}

/// A SignedData with these certificates, recipients and so on in place of what is said.
core::Bytes signed_data(core::BytesView bag, core::BytesView signers) {
    der::Writer out;
    out.begin(der::sequence).oid(crypto::oid_cms_signed_data).begin(der::context_constructed(0)).begin(der::sequence).small_integer(1);
    out.begin(der::set).end().begin(der::sequence).oid(crypto::oid_cms_data).end();
    out.primitive(der::context_constructed(0), bag).primitive(der::set, signers).end().end().end();
    return out.take();
}
core::Bytes enveloped_data(core::BytesView recipients, std::string_view cipher = "2.16.840.1.101.3.4.1.2", std::size_t vector = 16, std::size_t content = 32) {
    der::Writer out;
    out.begin(der::sequence).oid(crypto::oid_cms_enveloped_data).begin(der::context_constructed(0)).begin(der::sequence).small_integer(0);
    out.primitive(der::set, recipients).begin(der::sequence).oid(crypto::oid_cms_data);
    out.begin(der::sequence).oid(cipher).primitive(der::octet_string, core::Bytes(vector)).end();
    out.primitive(der::context(0), core::Bytes(content)).end().end().end().end();
    return out.take();
}
core::Bytes recipient(std::string_view transport = "1.2.840.113549.1.1.1") {
    der::Writer out;
    out.begin(der::sequence).small_integer(0).begin(der::sequence).begin(der::sequence).end().small_integer(7).end();
    out.begin(der::sequence).oid(transport).end().primitive(der::octet_string, core::Bytes(256)).end();
    return out.take();
}
core::Bytes times(std::size_t n, const core::Bytes& each) {
    core::Bytes out;
    for (std::size_t i = 0; i < n; ++i) out.insert(out.end(), each.begin(), each.end());
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_cms)

BOOST_AUTO_TEST_CASE(what_openssl_encrypts_is_opened) {
    for (const std::string arguments : {"-aes128", "-aes192", "-aes256", "-des3", "-aes128 -stream", "-aes256 -keyid", "-aes128 -indef"}) {
        const auto message = CmsEnvelopedData::parse(openssl("-encrypt -outform DER " + arguments + " -recip ra.pem", text));
        BOOST_REQUIRE_MESSAGE(message.has_value(), arguments);
        BOOST_TEST((message->addressed_to(keys()) == std::optional<std::size_t>(0)));
        const auto opened = message->open(keys(), random_source);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), arguments);
        BOOST_TEST((opened->expose() == text));
    }
    for (const std::string digests : {"", "-keyopt rsa_oaep_md:sha256", "-keyopt rsa_oaep_md:sha512 -keyopt rsa_mgf1_md:sha256", "-keyopt rsa_oaep_md:sha384"}) {
        const auto message = CmsEnvelopedData::parse(openssl("-encrypt -outform DER -aes256 -recip ra.pem -keyopt rsa_padding_mode:oaep " + digests, text));
        BOOST_REQUIRE(message.has_value());
        BOOST_TEST((message->open(keys(), random_source)->expose() == text), digests);
    }
    const auto labelled = CmsEnvelopedData::parse(openssl("-encrypt -outform DER -aes256 -recip ra.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_label:6162", text));
    BOOST_TEST(contains(refusal(labelled->open(keys(), random_source), ProblemKind::unsupported), "the key transport 1.2.840.113549.1.1.7 of the message is not supported"));
}

BOOST_AUTO_TEST_CASE(openssl_opens_what_is_encrypted_here) {
    crypto::CmsParty ra;
    ra.certificate = keys()[0].certificate;
    ra.key = keys()[0].key.public_key();
    for (const auto cipher : {CmsCipher::aes128_cbc, CmsCipher::aes192_cbc, CmsCipher::aes256_cbc, CmsCipher::des_ede3_cbc}) {
        for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 5000U}) {
            const core::Bytes content(size, 0x61);
            const core::Bytes message = crypto::cms_envelope(content, ra, cipher, random_source);
            BOOST_TEST((CmsEnvelopedData::parse(message)->open(keys(), random_source)->expose() == content));
            if (size == 17) BOOST_TEST((openssl("-decrypt -inform DER -recip ra.pem -inkey ra.key", message) == content));
        }
    }
    ra.key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    BOOST_CHECK_THROW(crypto::cms_envelope(text, ra, CmsCipher::aes128_cbc, random_source), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(what_openssl_signs_is_verified) {
    for (const std::string arguments : {"-md sha256", "-md sha1", "-md sha384", "-md sha512", "-md sha256 -stream", "-md sha256 -keyid"}) {
        const auto message = CmsSignedData::parse(openssl("-sign -nodetach -outform DER -signer ra.pem -inkey ra.key " + arguments, text));
        BOOST_REQUIRE_MESSAGE(message.has_value(), arguments);
        BOOST_TEST((message->content() == text));
        const auto party = message->verify();
        BOOST_REQUIRE_MESSAGE(party.has_value(), arguments << refusal(party, ProblemKind::unauthenticated));
        BOOST_TEST((party->certificate.der() == scep("ra.der")));
    }
    const auto detached = CmsSignedData::parse(openssl("-sign -outform DER -signer ra.pem -inkey ra.key", text));
    BOOST_TEST(!detached->content().has_value());
    BOOST_TEST(contains(refusal(detached->verify(), ProblemKind::unauthenticated), "the signed messageDigest is missing or is not that of the content"));
    const auto pss = CmsSignedData::parse(openssl("-sign -nodetach -outform DER -signer ra.pem -inkey ra.key -keyopt rsa_padding_mode:pss", text));
    BOOST_TEST(contains(refusal(pss->verify(), ProblemKind::unsupported), "the signature algorithm RSASSA-PSS is not supported"));
    const auto md5 = CmsSignedData::parse(openssl("-sign -nodetach -outform DER -signer ra.pem -inkey ra.key -md md5", text));
    BOOST_TEST(contains(refusal(md5->verify(), ProblemKind::unsupported), "the digest MD5 is not supported"));
    const auto bare = CmsSignedData::parse(openssl("-sign -nodetach -outform DER -signer ra.pem -inkey ra.key -nocerts", text));
    BOOST_TEST(contains(refusal(bare->verify(), ProblemKind::unauthenticated), "the signer's certificate is not in the message"));
    const auto plain = CmsSignedData::parse(openssl("-sign -nodetach -outform DER -signer ra.pem -inkey ra.key -noattr", text));
    BOOST_TEST(contains(refusal(plain, ProblemKind::malformed), "its signer has no signed attributes"));
}

BOOST_AUTO_TEST_CASE(openssl_verifies_what_is_signed_here) {
    const std::vector<crypto::CmsAttribute> attributes{{"1.2.3.4", der::utf8_string, test::octets("x")}, {"1.2.3", der::printable_string, test::octets("yy")}};
    for (const auto digest : {CmsDigest::sha1, CmsDigest::sha256, CmsDigest::sha384, CmsDigest::sha512}) {
        const core::Bytes message = crypto::cms_sign(core::BytesView(text), attributes, keys()[0], digest);
        BOOST_TEST((openssl("-verify -inform DER -noverify", message) == text));
        const auto read = CmsSignedData::parse(message);
        BOOST_TEST(read->verify().has_value());
        BOOST_TEST((read->digest() == digest));
        BOOST_TEST((read->attribute("1.2.3.4", der::utf8_string).value() == test::octets("x")));
        BOOST_TEST((read->attribute("1.2.3", der::printable_string).value() == test::octets("yy")));
        BOOST_TEST(contains(refusal(read->attribute("1.2.3", der::utf8_string), ProblemKind::malformed), "has the wrong ASN.1 type"));
        BOOST_TEST(contains(refusal(read->attribute("1.2.5", der::utf8_string), ProblemKind::not_found), "is missing"));
    }
}

BOOST_AUTO_TEST_CASE(ec_keys_sign_and_are_verified) {
    const auto key = crypto::PrivateKey::from_pem(test::text_file("p256.key.pem")).value();
    // The certificate's key is another one: what is signed then does not verify.
    const CmsIdentity wrong(keys()[0].certificate, key);
    const auto read = CmsSignedData::parse(crypto::cms_sign(core::BytesView(text), {}, wrong, CmsDigest::sha256));
    BOOST_TEST(contains(refusal(read->verify(), ProblemKind::unauthenticated), "the signature of the message does not verify"));
    const CmsIdentity ed(keys()[0].certificate, crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::ed25519, 256)));
    BOOST_CHECK_THROW(crypto::cms_sign(core::BytesView(text), {}, ed, CmsDigest::sha256), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(certificates_of_strangers_are_read_without_judging_them) {
    const auto windows = CmsSignedData::parse(scep("windows.der"));
    const auto certificate = crypto::CmsCertificate::parse(windows->certificates().at(0));
    BOOST_REQUIRE(certificate.has_value());
    BOOST_TEST(certificate->self_issued());
    BOOST_TEST(certificate->states(crypto::KeyUsageBit::key_encipherment));
    BOOST_TEST(!certificate->states(crypto::KeyUsageBit::key_cert_sign));
    const auto plain = crypto::CmsCertificate::parse(scep("ra-without-usage.der"));
    BOOST_TEST(!plain->states(crypto::KeyUsageBit::digital_signature));
    BOOST_TEST(plain->subject_key_id().empty());
    core::Bytes trailing = scep("ra.der");
    trailing.push_back(0);
    for (const auto& junk : {core::Bytes(), test::hex("3000"), test::hex("30053003020101"), trailing, scep("sscep.der")})
        BOOST_TEST(contains(refusal(crypto::CmsCertificate::parse(junk), ProblemKind::malformed), "a certificate in the message cannot be read"));
    const core::Bytes good = scep("ra.der");
    for (std::size_t n = 0; n < good.size(); ++n) BOOST_TEST(!crypto::CmsCertificate::parse(core::BytesView(good).first(n)).has_value());
}

BOOST_AUTO_TEST_CASE(a_certificate_is_named_by_octets_text_or_key_identifier) {
    const auto& certificate = keys()[0].certificate;
    crypto::CmsIdentifier name;
    BOOST_TEST(!name.names(certificate));
    name.serial = certificate.serial();
    BOOST_TEST(!name.names(certificate));
    name.issuer_der = certificate.issuer_der();
    BOOST_TEST(name.names(certificate));
    // The same name in another string type, as encoders that know one type write it.
    der::Writer other;
    other.begin(der::sequence).begin(der::set).begin(der::sequence).oid("2.5.4.3").text(der::printable_string, "Postern Test Issuing CA").end().end().end();
    BOOST_TEST((other.bytes() != certificate.issuer_der()));
    name.issuer_der = other.take();
    BOOST_TEST(name.names(certificate));
    name.serial.back() ^= 1;
    BOOST_TEST(!name.names(certificate));
    crypto::CmsIdentifier id;
    id.subject_key_id = certificate.subject_key_id();
    BOOST_TEST(id.names(certificate));
    id.subject_key_id.back() ^= 1;
    BOOST_TEST(!id.names(certificate));
}

// A14, S14: numbers of things have bounds, whatever the octets would allow.
BOOST_AUTO_TEST_CASE(bags_recipients_and_signers_have_bounds) {
    BOOST_TEST(contains(refusal(CmsSignedData::parse(signed_data(times(10'000, test::hex("3000")), {})), ProblemKind::malformed), "it has more than 16 certificates"));
    BOOST_TEST(contains(refusal(CmsSignedData::parse(signed_data(times(16, test::hex("3000")), {})), ProblemKind::malformed), "nobody signed it"));
    BOOST_TEST(contains(refusal(CmsSignedData::parse(signed_data({}, test::hex("3000"))), ProblemKind::malformed), "its signer is broken"));
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(times(800, recipient()))), ProblemKind::malformed), "it has more than 16 recipients"));
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(times(1000, recipient()))), ProblemKind::malformed), "larger than 256 KiB"));
    BOOST_TEST(CmsEnvelopedData::parse(enveloped_data(times(16, recipient()))).has_value());
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data({})), ProblemKind::malformed), "it has no recipient"));
    // PWRI with 2^31 iterations: its parameters are never looked at.
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(test::hex("a306" "02047fffffff"))), ProblemKind::unsupported), "uses a password (PWRI)"));
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(times(2, test::hex("a400")))), ProblemKind::unsupported), "uses something unknown (ORI)"));
}

BOOST_AUTO_TEST_CASE(envelopes_that_cannot_be_are_refused_before_a_key_is_used) {
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(recipient(), "2.16.840.1.101.3.4.1.2", 8)), ProblemKind::malformed), "the initialization vector"));
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(recipient(), "2.16.840.1.101.3.4.1.2", 16, 0)), ProblemKind::malformed), "not made of whole blocks"));
    BOOST_TEST(contains(refusal(CmsEnvelopedData::parse(enveloped_data(recipient(), "2.16.840.1.101.3.4.1.2", 16, 17)), ProblemKind::malformed), "not made of whole blocks"));
    const auto unknown = CmsEnvelopedData::parse(enveloped_data(recipient(), "1.3.14.3.2.7", 8));
    BOOST_TEST(!unknown->cipher().has_value());
    BOOST_TEST(contains(refusal(unknown->open(keys(), random_source), ProblemKind::unsupported), "the cipher DES-CBC is not supported"));
    const auto stranger = CmsEnvelopedData::parse(enveloped_data(recipient()));
    BOOST_TEST(contains(refusal(stranger->open(keys(), random_source), ProblemKind::not_found), "encrypted for none of the certificates in use here"));
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_message_is_refused) {
    for (const auto* file : {"sscep.der", "apple.der"}) {
        const core::Bytes message = scep(file);
        for (std::size_t n = 0; n < message.size(); ++n) BOOST_TEST(!CmsSignedData::parse(core::BytesView(message).first(n)).has_value());
        const core::Bytes envelope = CmsSignedData::parse(message)->content().value();
        BOOST_TEST(CmsEnvelopedData::parse(envelope).has_value());
        for (std::size_t n = 0; n < envelope.size(); ++n) BOOST_TEST(!CmsEnvelopedData::parse(core::BytesView(envelope).first(n)).has_value());
    }
}

BOOST_AUTO_TEST_CASE(degenerate_messages_keep_their_order) {
    const std::vector<core::Bytes> certificates{scep("root.der"), scep("ra.der"), scep("issuer.der")};
    const core::Bytes bag = crypto::cms_certificates(certificates);
    const auto at = [&bag](const core::Bytes& each) { return std::ranges::search(bag, each).begin() - bag.begin(); };
    BOOST_TEST(at(certificates[0]) < at(certificates[1]));
    BOOST_TEST(at(certificates[1]) < at(certificates[2]));
    BOOST_TEST(crypto::cms_certificates({}).size() > 20U);
}

BOOST_AUTO_TEST_SUITE_END()
