#include "core/crypto/csr_attributes.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "core/crypto/name.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace der = crypto::der;
using crypto::AttributeWish;
using crypto::CsrAttributes;
using crypto::ExtensionWish;
using crypto::KeySpec;
using crypto::KeyType;
using crypto::KeyWish;
using crypto::RequestTemplate;
using crypto::SubjectWish;
using test::hex;
using test::refusal;

namespace {

constexpr std::string_view challenge = "1.2.840.113549.1.9.7", mac_address = "1.3.6.1.1.1.1.22", ecdsa_sha384 = "1.2.840.10045.4.3.3";

core::Bytes oid(std::string_view dotted) {
    der::Writer out;
    out.oid(dotted);
    return out.take();
}

CsrAttributes parsed(core::BytesView der) { return CsrAttributes::parse(der).value(); }

core::Bytes template_with(core::BytesView attributes) {
    der::Writer out;
    out.begin(der::sequence).begin(der::sequence).oid(crypto::oid_request_template).begin(der::set).begin(der::sequence).small_integer(0);
    out.begin(der::context_constructed(1)).raw(attributes).end().end().end().end().end();
    return out.take();
}

core::Bytes extension_attribute(std::string_view kind, int extensions) {
    der::Writer out;
    out.begin(der::sequence).oid(kind).begin(der::set);
    for (int i = 0; i < extensions; ++i) out.begin(der::sequence).begin(der::sequence).oid("2.5.29.17").primitive(der::octet_string, hex("3000")).end().end();
    out.end().end();
    return out.take();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_csr_attributes)

/// RFC 8951 §4: 67 octets.
BOOST_AUTO_TEST_CASE(the_example_of_rfc_8951_reads_and_writes) {
    const auto vector = core::from_base64("MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==").value();
    BOOST_TEST(vector.size() == 67U);
    CsrAttributes made;
    made.attributes.emplace_back(std::string(challenge));
    made.add(KeyWish::of(KeySpec(KeyType::ec_p384, 384)));
    made.attributes.emplace_back("1.2.840.113549.1.9.14", std::vector<core::Bytes>{oid(mac_address)});
    made.attributes.emplace_back(std::string(ecdsa_sha384));
    BOOST_TEST(made.to_der() == vector, boost::test_tools::per_element());
    BOOST_TEST((parsed(vector) == made));
}

/// RFC 9908 §5: examples of the unstructured form.
BOOST_AUTO_TEST_CASE(the_examples_of_rfc_9908_read_and_write) {
    CsrAttributes mac, rsa, curve, acp;
    for (auto* each : {&mac, &rsa, &curve}) each->attributes.emplace_back(std::string(challenge));
    mac.add(KeyWish::of(KeySpec(KeyType::ec_p384, 384)));
    mac.attributes.emplace_back(std::string(mac_address));
    mac.attributes.emplace_back(std::string(ecdsa_sha384));
    rsa.add(KeyWish::of(KeySpec(KeyType::rsa, 4096)));
    rsa.attributes.emplace_back("1.2.840.113549.1.1.11");
    curve.add(KeyWish::of(KeySpec(KeyType::ec_p384, 384)));
    curve.attributes.emplace_back("2.5.4.5");
    curve.attributes.emplace_back(std::string(ecdsa_sha384));
    der::Writer name;
    name.begin(der::sequence).begin(der::context_constructed(0)).oid("1.3.6.1.5.5.7.8.10").begin(der::context_constructed(0));
    name.text(der::ia5_string, "rfc8994+fd739fc23c3440112233445500000000+@acp.example.com").end().end().end();
    acp.add({ExtensionWish("2.5.29.17", true, name.take())});
    const std::pair<std::string_view, const CsrAttributes*> examples[] = {
        {"MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==", &mac},
        {"MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==", &rsa},
        {"MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD", &curve},
        {"MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==", &acp}};
    for (const auto& [text, made] : examples) {
        const auto vector = core::from_base64(text).value();
        BOOST_TEST(made->to_der() == vector, boost::test_tools::per_element());
        BOOST_TEST((parsed(vector) == *made));
    }
}

/// RFC 9908 §3.4's example, octet by octet: a common name to be filled in, two given units, a key on P-256, names with an empty
/// address, a critical key usage, and an extended key usage to be filled in.
BOOST_AUTO_TEST_CASE(the_template_of_rfc_9908_reads_and_writes) {
    RequestTemplate wanted;
    wanted.subject = {SubjectWish("2.5.4.3", std::nullopt), SubjectWish("2.5.4.11", "myDept"), SubjectWish("2.5.4.11", "myGroup")};
    wanted.key = KeyWish::of(KeySpec(KeyType::ec_p256, 256));
    wanted.extensions = {ExtensionWish("2.5.29.17", false, hex("301482107777772e6d795365727665722e636f6d8700")), ExtensionWish("2.5.29.15", true, hex("03020388")),
                         ExtensionWish("2.5.29.37", false, std::nullopt)};
    CsrAttributes made;
    made.request = wanted;
    const auto vector = hex(
        "3081a93081a6060b2a864886f70d010910023d318196308193020100302c310730050603550403310f300d060355040b0c06"
        "6d79446570743110300e060355040b0c076d7947726f7570a015301306072a8648ce3d020106082a8648ce3d030107a14930"
        "47060b2a864886f70d010910023e31383036301d0603551d110416301482107777772e6d795365727665722e636f6d870030"
        "0e0603551d0f0101ff04040302038830050603551d25");
    BOOST_TEST(made.to_der() == vector, boost::test_tools::per_element());
    BOOST_TEST((parsed(vector) == made));
}

BOOST_AUTO_TEST_CASE(an_rsa_key_in_a_template_is_as_long_as_its_placeholder) {
    for (const unsigned bits : {2048U, 3072U, 4096U}) {
        CsrAttributes made;
        made.request.emplace();
        made.request->key = KeyWish::of(KeySpec(KeyType::rsa, bits));
        BOOST_TEST(parsed(made.to_der()).request->key->bits == bits);
        BOOST_TEST(made.to_der().size() > bits / 8);
    }
}

BOOST_AUTO_TEST_CASE(extensions_with_all_their_values_are_an_extension_request) {
    CsrAttributes made;
    made.request.emplace();
    made.request->extensions = {ExtensionWish("2.5.29.17", false, hex("3000"))};
    const auto whole = core::hex(made.to_der());
    BOOST_TEST(test::contains(whole, core::hex(oid(crypto::oid_extension_request))));
    BOOST_TEST(!test::contains(whole, core::hex(oid(crypto::oid_extension_template))));
    made.request->extensions.emplace_back("2.5.29.37", false, std::nullopt);
    const auto partial = core::hex(made.to_der());
    BOOST_TEST(!test::contains(partial, core::hex(oid(crypto::oid_extension_request))));
    BOOST_TEST(test::contains(partial, core::hex(oid(crypto::oid_extension_template))));
}

BOOST_AUTO_TEST_CASE(the_legacy_form_has_no_extensions_without_values) {
    CsrAttributes made;
    made.add({ExtensionWish("2.5.29.17", false, std::nullopt)});
    BOOST_TEST(made.attributes.empty());
    BOOST_TEST(core::hex(made.to_der()) == "3000");
}

BOOST_AUTO_TEST_CASE(what_rfc_9908_forbids_is_refused) {
    const auto one = template_with({});
    BOOST_TEST(parsed(one).request.has_value());
    der::Writer two;
    two.begin(der::sequence).raw(core::BytesView(one).subspan(2)).raw(core::BytesView(one).subspan(2)).end();
    const auto whole = extension_attribute(crypto::oid_extension_request, 1), partial = extension_attribute(crypto::oid_extension_template, 1);
    core::Bytes both = whole;
    both.insert(both.end(), partial.begin(), partial.end());
    auto version = one;
    version[version.size() - 3] = 1;
    for (const auto& [der, why] : {std::pair(two.take(), "more than one template"), std::pair(template_with(both), "more than one place"),
                                   std::pair(template_with(extension_attribute(crypto::oid_extension_request, 2)), "more than one place"),
                                   std::pair(template_with(extension_attribute(crypto::oid_extension_template, 0)), "more than one place"), std::pair(version, "version"),
                                   std::pair(hex("3003020100"), "neither"), std::pair(hex("300200"), "DER"), std::pair(hex("30000000"), "DER"), std::pair(hex("0500"), "no sequence")})
        BOOST_TEST(test::contains(refusal(CsrAttributes::parse(der), core::ProblemKind::malformed), why), core::hex(der) << " is not refused for " << why);
}

BOOST_AUTO_TEST_SUITE_END()
