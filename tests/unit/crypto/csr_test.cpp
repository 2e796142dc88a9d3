#include "core/crypto/csr.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "core/crypto/request_attributes.hpp"
#include "tests/support/csr.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace der = crypto::der;
using core::ProblemKind;
using crypto::Csr;
using crypto::DistinguishedName;
using crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;
using crypto::KeySpec;
using crypto::KeyType;
using crypto::PrivateKey;
using test::contains;
using test::hex;
using test::refusal;

namespace {

const PrivateKey& signer() {
    static const PrivateKey key = PrivateKey::generate(KeySpec());
    return key;
}

using test::csr_attribute;
using test::csr_extension;
using test::extension_request;
using test::joined;

struct Forge : test::CsrParts {
    [[nodiscard]] core::Bytes build() const { return sign(signer()); }
};
core::Bytes all(std::initializer_list<core::Bytes> parts) {
    core::Bytes out;
    for (const auto& part : parts) out = joined(std::move(out), part);
    return out;
}
core::Bytes alt_name(std::string value) { return test::dns_names_extension({{GeneralNameType::dns, std::move(value)}}); }

std::string with_attributes(core::Bytes attributes) {
    Forge forge;
    forge.attributes = std::move(attributes);
    return refusal(Csr::parse(forge.build()), ProblemKind::bad_csr);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_csr)

BOOST_AUTO_TEST_CASE(requests_of_openssl_are_read) {
    const std::tuple<std::string_view, KeyType, unsigned> files[] = {
        {"p256.csr", KeyType::ec_p256, 256},     {"p384.csr", KeyType::ec_p384, 384},          {"p521.csr", KeyType::ec_p521, 521},
        {"ed25519.csr", KeyType::ed25519, 256},  {"rsa2048.csr", KeyType::rsa, 2048},          {"rsa3072-sha512.csr", KeyType::rsa, 3072}};
    const std::vector<GeneralName> names{{GeneralNameType::dns, "www.example.com"}, {GeneralNameType::dns, "example.com"},
                                         {GeneralNameType::ip, "192.0.2.1"}, {GeneralNameType::ip, "2001:db8::1"}};
    for (const auto& [file, type, bits] : files) {
        const auto csr = Csr::parse(test::data_file(file));
        BOOST_REQUIRE_MESSAGE(csr.has_value(), file << ": " << refusal(csr, ProblemKind::bad_csr));
        BOOST_TEST((csr->key().type() == type));
        BOOST_TEST(csr->key().bits() == bits);
        BOOST_TEST(csr->subject().to_text() == "CN=www.example.com,O=Example,C=DE");
        BOOST_TEST((csr->alt_names() == names));
        BOOST_TEST((csr->extension_oids() == std::vector<std::string>{"2.5.29.17"}));
        BOOST_TEST(!csr->must_staple());
        BOOST_TEST(csr->challenge_password() == "");
        BOOST_TEST((csr->der() == test::data_file(file)));
    }
}

BOOST_AUTO_TEST_CASE(what_people_put_into_requests_is_found) {
    const auto staple = Csr::parse(test::data_file("must-staple.csr"));
    BOOST_REQUIRE(staple.has_value());
    BOOST_TEST(staple->must_staple());
    BOOST_TEST(staple->subject().entries.empty());
    BOOST_TEST((staple->extended_key_usage() == std::vector<std::string>{"1.3.6.1.5.5.7.3.1"}));
    BOOST_TEST((staple->extension_oids() == std::vector<std::string>{"2.5.29.17", "1.3.6.1.5.5.7.1.24", "2.5.29.37"}));

    const auto cn_only = Csr::parse(test::data_file("cn-only.csr"));
    BOOST_REQUIRE(cn_only.has_value());
    BOOST_TEST((cn_only->subject().values(DnAttribute::common_name) == std::vector<std::string>{"only.example"}));
    BOOST_TEST(cn_only->alt_names().empty());

    const auto challenge = Csr::parse(test::data_file("challenge-t61.csr"));
    BOOST_REQUIRE(challenge.has_value());
    BOOST_TEST(challenge->challenge_password() == "s3cret pass");
    // What is stored shows everything but that, and is read again although no signature covers it.
    const auto kept = challenge->kept();
    BOOST_TEST(kept.size() == challenge->der().size());
    BOOST_TEST(!contains(std::string(core::as_text(kept)), "s3cret"));
    BOOST_TEST(!Csr::parse(kept).has_value());
    const auto again = Csr::parse_kept(kept);
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST(again->challenge_password() == "***********");
    BOOST_TEST((again->key().spki() == challenge->key().spki() && again->subject().to_der() == challenge->subject().to_der()));
    BOOST_TEST((challenge->subject().values(DnAttribute::organization) == std::vector<std::string>{"M\xc3\xbcller"}));
}

BOOST_AUTO_TEST_CASE(weak_and_unknown_signatures_are_refused_with_advice) {
    const std::pair<std::string_view, std::string_view> files[] = {{"sha1.csr", "signed with SHA-1 with RSA, which is broken; sign it with SHA-256"},
                                                                   {"md5.csr", "signed with MD5 with RSA, which is broken; sign it with SHA-256"},
                                                                   {"ecdsa-sha1.csr", "signed with ECDSA with SHA-1, which is broken"},
                                                                   {"pss.csr", "signed with RSASSA-PSS, which is not supported"},
                                                                   {"pss-key.csr", "signed with RSASSA-PSS, which is not supported"}};
    for (const auto& [file, expected] : files) {
        const std::string detail = refusal(Csr::parse(test::data_file(file)), ProblemKind::bad_csr);
        BOOST_TEST(contains(detail, expected), file << " gave: " << detail);
    }
}

BOOST_AUTO_TEST_CASE(sha1_is_accepted_with_rsa_for_who_allows_it) {
    const auto csr = Csr::parse(test::data_file("sha1.csr"), crypto::CsrDigests::sha1_too);
    BOOST_REQUIRE(csr.has_value());
    BOOST_TEST((csr->key().type() == KeyType::rsa));
    core::Bytes wrong = test::data_file("sha1.csr");
    wrong.back() ^= 1;
    BOOST_TEST(contains(refusal(Csr::parse(wrong, crypto::CsrDigests::sha1_too), ProblemKind::bad_csr), "its signature does not verify"));
    for (const auto* file : {"md5.csr", "ecdsa-sha1.csr", "pss.csr"})
        BOOST_TEST(contains(refusal(Csr::parse(test::data_file(file), crypto::CsrDigests::sha1_too), ProblemKind::bad_csr), "it is signed with"), file);
    BOOST_TEST(Csr::parse(test::data_file("p256.csr"), crypto::CsrDigests::sha1_too).has_value());
}

BOOST_AUTO_TEST_CASE(bad_keys_are_bad_public_keys) {
    const std::pair<std::string_view, std::string_view> files[] = {
        {"rsa1024.csr", "only 1024 bits"}, {"rsa2047.csr", "only 2047 bits"},         {"rsa-e3.csr", "exponent must be odd"},
        {"p192.csr", "use P-256, P-384"},  {"explicit-curve.csr", "use a named curve"}, {"compressed-point.csr", "point is compressed"}};
    for (const auto& [file, expected] : files)
        BOOST_TEST(contains(refusal(Csr::parse(test::data_file(file)), ProblemKind::bad_public_key), expected), file);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_request_are_refused) {
    core::Bytes good = test::data_file("p256.csr");
    core::Bytes trailing = good;
    trailing.push_back(0);
    core::Bytes wrong_signature = good;
    wrong_signature.back() ^= 1;
    core::Bytes changed_subject = good;
    const auto at = std::search(changed_subject.begin(), changed_subject.end(), std::begin("Example"), std::end("Example") - 1);
    *at = 'e';
    const std::pair<core::Bytes, std::string_view> table[] = {
        {{}, "it is not DER"},
        {hex("3080"), "it is not DER"},
        {test::octets("-----BEGIN CERTIFICATE REQUEST-----"), "it is PEM; what is wanted here is DER"},
        {trailing, "bytes follow its end"},
        {wrong_signature, "signature does not verify with the public key in it"},
        {changed_subject, "signature does not verify"},
        {test::data_file("root.der"), "version is not 0"},
        {hex("3000"), "not information, algorithm and signature"},
    };
    for (const auto& [bytes, expected] : table) {
        const std::string detail = refusal(Csr::parse(bytes), ProblemKind::bad_csr);
        BOOST_TEST(contains(detail, expected), detail);
    }
    for (std::size_t n = 0; n < good.size(); ++n) BOOST_TEST(!Csr::parse(core::BytesView(good).first(n)).has_value());
}

BOOST_AUTO_TEST_CASE(another_keys_signature_is_refused) {
    core::Bytes swapped = crypto::make_csr(signer(), {}, {{GeneralNameType::dns, "a.example"}});
    const core::Bytes& own = signer().public_key().spki();
    const core::Bytes other = PrivateKey::generate(KeySpec()).public_key().spki();
    std::copy(other.begin(), other.end(), std::search(swapped.begin(), swapped.end(), own.begin(), own.end()));
    BOOST_TEST(contains(refusal(Csr::parse(swapped), ProblemKind::bad_csr), "does not verify"));
}

// Whoever changed a request must not learn by words or time what stands where.
BOOST_AUTO_TEST_CASE(the_signature_is_judged_before_what_it_covers) {
    for (const auto& attributes : {hex("0500"), hex("24800401610000"), csr_attribute("1.2.840.113549.1.9.7", hex("0c026100")), extension_request({})}) {
        Forge forge;
        forge.attributes = attributes;
        core::Bytes request = forge.build();
        BOOST_TEST(!contains(refusal(Csr::parse(request), ProblemKind::bad_csr), "does not verify"));
        request.back() ^= 1;
        BOOST_TEST(contains(refusal(Csr::parse(request), ProblemKind::bad_csr), "its signature does not verify"));
    }
}

BOOST_AUTO_TEST_CASE(absent_and_empty_attributes_are_accepted) {
    BOOST_TEST(Csr::parse(Forge().build()).has_value());
    Forge sloppy;
    sloppy.attributes.reset();
    BOOST_TEST(Csr::parse(sloppy.build()).has_value());
}

BOOST_AUTO_TEST_CASE(broken_frames_are_refused) {
    Forge version;
    version.version = hex("020101");
    BOOST_TEST(contains(refusal(Csr::parse(version.build()), ProblemKind::bad_csr), "version is not 0"));
    Forge tail;
    tail.after_attributes = hex("0500");
    BOOST_TEST(contains(refusal(Csr::parse(tail.build()), ProblemKind::bad_csr), "what follows its public key is not the attributes"));
    Forge outer;
    outer.after_signature = hex("0500");
    BOOST_TEST(contains(refusal(Csr::parse(outer.build()), ProblemKind::bad_csr), "not information, algorithm and signature"));
    Forge subject;
    subject.subject = hex("300d310b3009" "0603550403" "0c02" "6100");
    BOOST_TEST(contains(refusal(Csr::parse(subject.build()), ProblemKind::bad_csr), "the value of CN in the name cannot be read"));
}

BOOST_AUTO_TEST_CASE(doubled_things_are_refused) {
    const core::Bytes names = alt_name("a.example");
    const core::Bytes password = csr_attribute("1.2.840.113549.1.9.7", hex("0c0161"));
    BOOST_TEST(contains(with_attributes(extension_request(joined(names, alt_name("b.example")))), "the extension 2.5.29.17 is there twice"));
    BOOST_TEST(contains(with_attributes(joined(extension_request(names), extension_request(names))), "two extensionRequest attributes; put all extensions into one"));
    BOOST_TEST(contains(with_attributes(joined(extension_request(names), extension_request(names, "1.3.6.1.4.1.311.2.1.14"))), "two extensionRequest attributes"));
    BOOST_TEST(contains(with_attributes(joined(password, password)), "two challengePassword attributes"));
    BOOST_TEST(contains(with_attributes(csr_attribute("1.2.840.113549.1.9.14", hex("30003000"))), "extensionRequest attribute has not exactly one value"));
    BOOST_TEST(contains(with_attributes(csr_attribute("1.2.840.113549.1.9.14", {})), "has not exactly one value"));
}

BOOST_AUTO_TEST_CASE(empty_and_broken_extensions_are_refused) {
    BOOST_TEST(contains(with_attributes(extension_request({})), "the list of extensions is empty; leave it out"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.17", hex("3000")))), "subjectAltName is empty"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.17", hex("30028200")))), "empty dNSName"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.17", hex("3080")))), "the extension 2.5.29.17 is empty or its value is not DER"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.37", hex("3000")))), "extendedKeyUsage is empty"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.37", hex("30030c0161")))), "holds something that is no purpose"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("1.2.3.4", {}))), "the extension 1.2.3.4 is empty or its value is not DER"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("1.2.3.4", hex("0500" "00")))), "the extension 1.2.3.4 is empty or its value is not DER"));
    BOOST_TEST(contains(with_attributes(csr_attribute("1.2.3.4", hex("24800401610000"))), "something within it is not DER"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("1.3.6.1.5.5.7.1.24", hex("3000")))), "TLS feature extension is not a list"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("1.3.6.1.5.5.7.1.24", hex("30030201ff")))), "TLS feature extension is not a list"));
    BOOST_TEST(contains(with_attributes(extension_request(csr_extension("2.5.29.15", hex("03020780"), "010101"))), "something within it is not DER"));
    BOOST_TEST(contains(with_attributes(extension_request(hex("3000"))), "an extension has no object identifier"));
    BOOST_TEST(contains(with_attributes(extension_request(hex("0500"))), "list of extensions holds something else"));
    BOOST_TEST(contains(with_attributes(csr_attribute("1.2.840.113549.1.9.7", hex("0c026100"))), "challengePassword cannot be read"));
    BOOST_TEST(contains(with_attributes(hex("0500")), "attributes are not DER"));
    core::Bytes many;
    for (int i = 0; i < 65; ++i) many = joined(many, csr_extension("1.2.3." + std::to_string(i), hex("0500")));
    BOOST_TEST(contains(with_attributes(extension_request(many)), "more than 64 extensions"));
}

BOOST_AUTO_TEST_CASE(an_explicit_false_and_the_old_microsoft_attribute_are_read) {
    Forge forge;
    forge.attributes = extension_request(csr_extension("2.5.29.17", crypto::general_names_der({{GeneralNameType::dns, "a.example"}}), "010100"),
                               "1.3.6.1.4.1.311.2.1.14");
    const auto csr = Csr::parse(forge.build());
    BOOST_REQUIRE(csr.has_value());
    BOOST_TEST((csr->alt_names() == std::vector<GeneralName>{{GeneralNameType::dns, "a.example"}}));
}

BOOST_AUTO_TEST_CASE(ten_thousand_rdns_are_refused) {
    core::Bytes rdns;
    const core::Bytes one = hex("310a3008" "060355040b" "0c0161");  // OU=a
    for (int i = 0; i < 10'000; ++i) rdns.insert(rdns.end(), one.begin(), one.end());
    der::Writer subject;
    subject.primitive(der::sequence, rdns);
    Forge forge;
    forge.subject = subject.take();
    BOOST_TEST(contains(refusal(Csr::parse(forge.build()), ProblemKind::bad_csr), "the name has more than 64 attributes"));
}

BOOST_AUTO_TEST_CASE(a_negative_version_is_refused) {
    Forge forge;
    forge.version = hex("0201ff");
    BOOST_TEST(contains(refusal(Csr::parse(forge.build()), ProblemKind::bad_csr), "version is not 0"));
}

BOOST_AUTO_TEST_CASE(unknown_attributes_and_extensions_are_listed) {
    Forge forge;
    forge.attributes = joined(csr_attribute("1.2.840.113549.1.9.2", hex("0c0161")), extension_request(csr_extension("1.3.6.1.4.1.311.25.2", hex("0500"))));
    const auto csr = Csr::parse(forge.build());
    BOOST_REQUIRE(csr.has_value());
    BOOST_TEST((csr->extension_oids() == std::vector<std::string>{"1.3.6.1.4.1.311.25.2"}));
    BOOST_TEST((csr->unread_attributes() == std::vector<std::string>{"1.2.840.113549.1.9.2"}));
    BOOST_TEST(csr->extended_key_usage().empty());
}

BOOST_AUTO_TEST_CASE(our_requests_pass_openssl_and_ourselves) {
    const test::TemporaryFolder folder;
    DistinguishedName subject;
    subject.entries = {{DnAttribute::organization, "Ex"}, {DnAttribute::common_name, "a.example"}};
    const std::vector<GeneralName> names{{GeneralNameType::dns, "a.example"}, {GeneralNameType::ip, "192.0.2.7"}};
    for (const auto& spec : {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::ec_p384, 384), KeySpec(KeyType::ed25519, 256), KeySpec(KeyType::rsa, 2048)}) {
        const PrivateKey key = PrivateKey::generate(spec);
        for (const auto& name : {subject, DistinguishedName()}) {
            const core::Bytes der = crypto::make_csr(key, name, names);
            const auto csr = Csr::parse(der);
            BOOST_REQUIRE(csr.has_value());
            BOOST_TEST((csr->alt_names() == names));
            BOOST_TEST((csr->key().spki() == key.public_key().spki()));
            const auto checked = test::run("openssl req -inform DER -verify -noout -in " + folder.write("a.csr", der));
            BOOST_TEST(contains(checked.output, "self-signature verify OK"), checked.output);
        }
    }
    BOOST_TEST(Csr::parse(crypto::make_csr(signer(), subject, {})).value().alt_names().empty());
}

BOOST_AUTO_TEST_CASE(linking_attributes_are_read_each_by_its_name) {
    const auto text = [](std::string_view value) {
        der::Writer out;
        out.text(der::utf8_string, value);
        return out.take();
    };
    Forge forge;
    forge.attributes = all({csr_attribute("1.2.840.113549.1.9.7", text("")), csr_attribute("1.2.840.113549.1.9.16.2.56", text("otp")),
                               csr_attribute("1.2.840.113549.1.9.16.2.57", text("revoke")), csr_attribute("1.2.840.113549.1.9.16.2.58", text("link"))});
    const auto csr = Csr::parse(forge.build()).value();
    const auto read = crypto::read_request_attributes(csr.attributes()).value();
    BOOST_TEST((read.challenge_password == std::optional<std::string>("")));
    BOOST_TEST(*read.linking.otp_challenge == "otp");
    BOOST_TEST(*read.linking.revocation_challenge == "revoke");
    BOOST_TEST(*read.linking.est_identity_linking == "link");
    const auto kept = crypto::read_request_attributes(Csr::parse_kept(csr.kept()).value().attributes()).value();
    BOOST_TEST(*kept.linking.otp_challenge == "***");
    BOOST_TEST(*kept.linking.revocation_challenge == "******");
    BOOST_TEST(*kept.linking.est_identity_linking == "link");
}

BOOST_AUTO_TEST_CASE(linking_attributes_are_there_once_with_one_value_of_text) {
    for (const auto* oid : {"1.2.840.113549.1.9.16.2.56", "1.2.840.113549.1.9.16.2.57", "1.2.840.113549.1.9.16.2.58"}) {
        der::Writer text, number;
        text.text(der::utf8_string, "x");
        number.small_integer(1);
        Forge twice, two, none;
        twice.attributes = all({csr_attribute(oid, text.bytes()), csr_attribute(oid, text.bytes())});
        two.attributes = csr_attribute(oid, all({text.bytes(), text.bytes()}));
        none.attributes = csr_attribute(oid, number.bytes());
        for (const auto& forge : {twice, two, none}) BOOST_TEST(contains(refusal(Csr::parse(forge.build()), ProblemKind::bad_csr), "the CSR is refused"));
    }
}

BOOST_AUTO_TEST_CASE(a_request_for_a_new_key_is_read_whatever_its_own_is) {
    Forge forge;
    forge.attributes = all({extension_request(alt_name("a.example")), csr_attribute("1.2.840.113549.1.9.16.2.54", hex("0403010203"))});
    auto broken = forge.build();
    broken.back() ^= 1;
    BOOST_TEST(!Csr::parse(broken));
    const auto csr = Csr::parse_for_new_key(broken).value();
    BOOST_TEST(csr.key().valid());
    BOOST_TEST((*crypto::read_request_attributes(csr.attributes()).value().key_delivery.asymmetric_key == hex("010203")));
    const auto key = PrivateKey::generate(KeySpec());
    const auto remade = Csr::parse(csr.remade(key)).value();
    BOOST_TEST((remade.key().spki() == key.public_key().spki()));
    BOOST_TEST((remade.alt_names() == csr.alt_names()));
    BOOST_TEST(remade.subject().to_text() == csr.subject().to_text());
    BOOST_TEST(remade.unread_attributes().empty());
    BOOST_TEST(!crypto::read_request_attributes(remade.attributes()).value().key_delivery.encrypted());
}

BOOST_AUTO_TEST_SUITE_END()
