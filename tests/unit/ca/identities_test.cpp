#include "ca/content_json.hpp"
#include "ca/returned.hpp"
#include "core/crypto/security_identifier.hpp"
#include "tests/unit/ca/lint_sample.hpp"

/// Principal names, mailboxes, URIs and security identifiers on their way to a foreign CA and back.

using namespace postern;
using namespace postern::test;
using crypto::GeneralName;
using crypto::GeneralNameType;

namespace {

const std::string sid = "S-1-5-21-3623811015-3361044348-30300820-1104";

/// A root of another house, and what it was asked for: a person's certificate with strong mapping.
struct ForeignCa {
    ForeignCa() {
        sample.client_only();
        sample.content.subject = named({{crypto::DnAttribute::common_name, "Jane"}});
        sample.content.names = {GeneralName(GeneralNameType::upn, "j\xc3\xb6rg@CORP.example"), GeneralName(GeneralNameType::email, "jane@corp.example"),
                                GeneralName(GeneralNameType::uri, "IntuneDeviceId://A,b")};
        sample.content.security_identifier = sid;
        crypto::CertificateShape shape;
        shape.issuer_der = name;
        shape.ca = true;
        shape.key_usage = {crypto::KeyUsageBit::key_cert_sign};
        crypto::CertificateFields fields;
        fields.serial = core::Bytes(16, 0x11);
        fields.not_before = sample.issuer.not_before;
        fields.not_after = sample.issuer.not_after;
        fields.subject_der = name;
        fields.spki = key.public_key().spki();
        fields.subject_key_id = sample.issuer.subject_key_id;
        root = sign(crypto::CertificateTemplate(shape).to_be_signed(fields));
        declared.anchors.push_back(crypto::Certificate::parse(root).value());
        sample.shape.issuer_der = name;
        sample.fields.security_identifier = sid;
    }
    core::Bytes sign(const core::Bytes& tbs) const {
        const auto algorithm = crypto::SignatureAlgorithm::ecdsa_sha256;
        return crypto::assemble_signed(tbs, algorithm, key.sign(algorithm, tbs));
    }
    core::Result<ca::Checked> check() const { return ca::check_returned({sign(sample.tbs()), root}, sample.content, declared, sample.now); }

    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    core::Bytes name = named({{crypto::DnAttribute::common_name, "Foreign Root"}}).to_der();
    Sample sample;
    core::Bytes root;
    ca::Declared declared;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_identities)

BOOST_AUTO_TEST_CASE(content_travels_as_json_and_comes_back) {
    const ForeignCa foreign;
    const auto& content = foreign.sample.content;
    const auto json = ca::to_json(content);
    for (const auto* part : {R"({"type":"upn","value":"jörg@CORP.example"})", R"({"type":"email","value":"jane@corp.example"})", R"({"type":"uri","value":"IntuneDeviceId://A,b"})",
                             R"("security_identifier":"S-1-5-21-3623811015-3361044348-30300820-1104")"})
        BOOST_TEST(json.find(part) != std::string::npos, part << " in " << json);
    const auto back = ca::content_from_json(json, content.key);
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST((back->names == content.names));
    BOOST_TEST(back->security_identifier == sid);
    BOOST_TEST(ca::to_json(*back) == json);
    ca::Content plain = content;
    plain.security_identifier.clear();
    BOOST_TEST(ca::to_json(plain).find("security_identifier") == std::string::npos);
    std::string wrong = json;
    wrong.replace(wrong.find(sid), sid.size(), "S-1-5-18");
    BOOST_TEST(!ca::content_from_json(wrong, content.key).has_value());
}

BOOST_AUTO_TEST_CASE(what_comes_back_is_what_was_authorised) {
    ForeignCa foreign;
    const auto checked = foreign.check();
    BOOST_TEST(checked.has_value(), (checked ? "" : checked.error().detail));
    BOOST_TEST((checked->certificate.alt_names() == foreign.sample.content.names));
}

BOOST_AUTO_TEST_CASE(what_comes_back_otherwise_is_refused) {
    struct Case {
        std::string check, says;
        std::function<void(Sample&)> spoil;  ///< of what the foreign CA issues
    };
    const Case cases[] = {
        {"issued.names", "upn:boss@CORP.example", [](Sample& s) { s.fields.alt_names = s.content.names; s.fields.alt_names[0].value = "boss@CORP.example"; }},
        {"issued.names", "authorised was upn:j", [](Sample& s) { s.fields.alt_names = s.content.names; s.fields.alt_names[0].value = "j\xc3\xb6rg@corp.example"; }},
        {"issued.names", "uri:tag:microsoft.com", [](Sample& s) { s.fields.alt_names = s.content.names; s.fields.alt_names.emplace_back(GeneralNameType::uri, "tag:microsoft.com,2022-09-14:sid:" + sid); }},
        {"issued.names", "email:jane@corp.example", [](Sample& s) { s.fields.alt_names = {s.content.names[1]}; }},
        {"issued.lint", "the security identifier is not the authorised one", [](Sample& s) { s.fields.security_identifier = "S-1-5-21-1-2-3-500"; }},
        {"issued.lint", "the security identifier of Windows is missing", [](Sample& s) { s.fields.security_identifier.clear(); }},
    };
    for (const auto& c : cases) BOOST_TEST_CONTEXT(c.check << ": " << c.says) {
        ForeignCa foreign;
        c.spoil(foreign.sample);
        const auto checked = foreign.check();
        BOOST_TEST_REQUIRE(!checked.has_value());
        BOOST_TEST(checked.error().check == c.check, checked.error().detail);
        BOOST_TEST(checked.error().detail.find(c.says) != std::string::npos, checked.error().detail);
    }
    ForeignCa unasked;
    unasked.sample.content.security_identifier.clear();
    const auto checked = unasked.check();
    BOOST_TEST_REQUIRE(!checked.has_value());
    BOOST_TEST(checked.error().check == "issued.extensions", checked.error().detail);
}

BOOST_AUTO_TEST_SUITE_END()
