#include <functional>

#include "ca/lint_rules.hpp"
#include "tests/unit/ca/lint_sample.hpp"

using namespace postern;
using namespace postern::test;

namespace {

struct Case {
    std::string check;
    std::string says;
    std::function<void(Sample&)> spoil;
};

using enum crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;
using crypto::KeyUsageBit;

void check(const std::vector<Case>& cases) {
    for (const auto& c : cases) {
        Sample sample;
        c.spoil(sample);
        const auto linted = sample.lint();
        BOOST_TEST(!linted.has_value(), c.check << ": " << c.says << " was let through");
        if (linted) continue;
        BOOST_TEST(linted.error().check == "lint." + c.check, linted.error().detail);
        BOOST_TEST(linted.error().detail.starts_with("lint." + c.check + ": "), linted.error().detail);
        check_refused(linted.error(), c.says);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_lint)

BOOST_AUTO_TEST_CASE(good_content_passes) {
    Sample server;
    BOOST_TEST(server.lint().has_value(), (server.lint() ? "" : server.lint().error().detail));
    Sample stapled;
    stapled.content.must_staple = true;
    stapled.content.names.emplace_back(GeneralNameType::dns, "*.example.test");
    stapled.content.names.emplace_back(GeneralNameType::ip, "192.0.2.7");
    stapled.content.names.emplace_back(GeneralNameType::dns, "localhost");
    BOOST_TEST(stapled.lint().has_value(), (stapled.lint() ? "" : stapled.lint().error().detail));
    Sample person;
    person.client_only();
    person.content.subject = named({{country, "DE"}, {organization, "Müller & Söhne"}, {common_name, "Ada Lovelace"}, {email, "ada@example.test"}});
    person.content.names = {GeneralName(GeneralNameType::email, "ada@example.test"), GeneralName(GeneralNameType::uri, "urn:uuid:1")};
    BOOST_TEST(person.lint().has_value(), (person.lint() ? "" : person.lint().error().detail));
    Sample nameless;
    nameless.content.subject = crypto::DistinguishedName();
    BOOST_TEST(nameless.lint().has_value(), (nameless.lint() ? "" : nameless.lint().error().detail));
}

BOOST_AUTO_TEST_CASE(identities) {
    const std::string sid = "S-1-5-21-1-2-3-1104", mapping = "tag:microsoft.com,2022-09-14:sid:" + sid;
    const auto person = [](Sample& s, GeneralNameType type, std::string name) {
        s.client_only();
        s.content.names = {GeneralName(type, std::move(name))};
    };
    for (const auto& [type, name] : {std::pair(GeneralNameType::upn, std::string("Jane@CORP.example")), {GeneralNameType::upn, "j\xc3\xb6rg@corp.example"}, {GeneralNameType::uri, mapping}}) {
        Sample s;
        person(s, type, name);
        const auto linted = s.lint();
        BOOST_TEST(linted.has_value(), (linted ? "" : linted.error().detail));
    }
    Sample mapped;
    person(mapped, GeneralNameType::upn, "jane@corp.example");
    mapped.content.security_identifier = mapped.fields.security_identifier = sid;
    BOOST_TEST(mapped.lint().has_value(), (mapped.lint() ? "" : mapped.lint().error().detail));
    check({
        {"alt_names", "principal name \"jane\" is no principal name", [=](Sample& s) { person(s, GeneralNameType::upn, "jane"); }},
        {"alt_names", "stands there twice", [=](Sample& s) { person(s, GeneralNameType::upn, "a@b.c"); s.content.names.push_back(s.content.names[0]); }},
        {"alt_names", "mailbox \".a@b.c\" is no mailbox", [=](Sample& s) { person(s, GeneralNameType::email, ".a@b.c"); }},
        {"alt_names", "URI \"urn:a b\" has a character", [=](Sample& s) { person(s, GeneralNameType::uri, "urn:a b"); }},
        {"alt_names", "not a principal name", [=](Sample& s) { s.content.names.emplace_back(GeneralNameType::upn, "a@b.c"); }},
        {"security_identifier", "looks like a security identifier of Windows and is none", [=](Sample& s) { person(s, GeneralNameType::uri, mapping + "%00"); }},
        {"security_identifier", "looks like a security identifier of Windows and is none", [=](Sample& s) { person(s, GeneralNameType::upn, mapping); }},
        {"security_identifier", "has one security identifier",
         [=](Sample& s) { person(s, GeneralNameType::uri, mapping); s.content.names.emplace_back(GeneralNameType::uri, mapping + "5"); }},
        {"security_identifier", "has one security identifier",
         [=](Sample& s) { person(s, GeneralNameType::uri, mapping); s.content.security_identifier = s.fields.security_identifier = sid; }},
        {"security_identifier", "against the authorised content", [=](Sample& s) { person(s, GeneralNameType::upn, "a@b.c"); s.fields.security_identifier = sid; }},
        {"security_identifier", "is missing", [=](Sample& s) { person(s, GeneralNameType::upn, "a@b.c"); s.content.security_identifier = sid; }},
        {"security_identifier", "is not the authorised one",
         [=](Sample& s) { person(s, GeneralNameType::upn, "a@b.c"); s.content.security_identifier = sid, s.fields.security_identifier = "S-1-5-21-1-2-3-500"; }},
        {"security_identifier", "no account's of a Windows domain",
         [=](Sample& s) { person(s, GeneralNameType::upn, "a@b.c"); s.content.security_identifier = s.fields.security_identifier = "S-1-5-18"; }},
        {"security_identifier", "or on a TLS server's certificate", [=](Sample& s) { s.content.security_identifier = s.fields.security_identifier = sid; }},
    });
}

BOOST_AUTO_TEST_CASE(serial_algorithm_issuer_and_dates) {
    check({
        {"serial_length", "octets; 20 are the most", [](Sample& s) { s.fields.serial = core::Bytes(21, 0x11); }},
        {"serial_length", "shorter than 64 bits", [](Sample& s) { s.fields.serial = core::Bytes(7, 0x11); }},
        {"signature_algorithm", "not the one that the issuing CA signs with", [](Sample& s) { s.shape.algorithm = crypto::SignatureAlgorithm::ecdsa_sha384; }},
        {"issuer", "byte for byte", [](Sample& s) { s.shape.issuer_der = named({{common_name, "Test Ca"}}).to_der(); }},
        {"validity", "not the authorised", [](Sample& s) { s.fields.not_after = s.content.not_after + 1s; }},
        {"validity", "not later than notBefore", [](Sample& s) { s.content.not_after = s.content.not_before; }},
        {"validity", "earlier than the issuing CA's", [](Sample& s) { s.issuer.not_before = s.content.not_before + 1s; }},
        {"validity", "later than the issuing CA's", [](Sample& s) { s.issuer.not_after = s.content.not_after - 1s; }},
        {"max_validity", "825 days", [](Sample& s) { s.content.not_after = s.content.not_before + 24h * 825; }},
    });
    Sample longest;
    longest.content.not_after = longest.content.not_before + 24h * 825 - 1s;
    BOOST_TEST(longest.lint().has_value());
}

BOOST_AUTO_TEST_CASE(keys) {
    check({
        {"key", "not the authorised one", [](Sample& s) { s.fields.spki = crypto::PrivateKey::generate(crypto::KeySpec()).public_key().spki(); }},
        {"authority_key_id", "not the issuing CA's", [](Sample& s) { s.shape.authority_key_id = core::Bytes(20, 0xbb); }},
        {"authority_key_id", "missing", [](Sample& s) { s.shape.authority_key_id.clear(); }},
        {"subject_key_id", "not that of the public key", [](Sample& s) { s.fields.subject_key_id = core::Bytes(20, 1); }},
        {"basic_constraints", "neither be a CA", [](Sample& s) { s.shape.ca = true; }},
        {"basic_constraints", "neither be a CA", [](Sample& s) { s.shape.ca = true; s.shape.path_length = 0; }},
    });
}

BOOST_AUTO_TEST_CASE(usages) {
    check({
        {"key_usage", "does not fit a key of type EC P-256", [](Sample& s) { s.content.key_usage = {KeyUsageBit::key_encipherment}; }},
        {"ca_usage", "neither certificates nor CRLs", [](Sample& s) { s.content.key_usage.push_back(KeyUsageBit::key_cert_sign); }},
        {"key_usage", "not the authorised one", [](Sample& s) { s.shape.key_usage = {KeyUsageBit::digital_signature, KeyUsageBit::key_agreement}; }},
        {"key_usage", "missing", [](Sample& s) { s.content.key_usage.clear(); }},
        {"usage_purpose", "serverAuth needs", [](Sample& s) { s.content.key_usage = {KeyUsageBit::content_commitment}; }},
        {"usage_purpose", "clientAuth needs", [](Sample& s) { s.client_only(); s.content.key_usage = {KeyUsageBit::content_commitment}; }},
        {"extended_key_usage", "missing", [](Sample& s) { s.no_eku = true; }},
        {"extended_key_usage", "not the authorised one", [](Sample& s) { s.shape.extended_key_usage = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.9"}; }},
        {"extended_key_usage", "twice", [](Sample& s) { s.content.extended_key_usage.push_back("1.3.6.1.5.5.7.3.1"); }},
        {"extended_key_usage", "anyExtendedKeyUsage", [](Sample& s) { s.content.extended_key_usage.push_back("2.5.29.37.0"); }},
        {"extended_key_usage", "contradict", [](Sample& s) { s.content.tls_server = false; }},
        {"tls_feature", "must-staple", [](Sample& s) { s.fields.must_staple = true; }},
        {"locations", "plain http", [](Sample& s) { s.shape.crl_url = "https://pki.example.test/0.crl"; }},
        {"locations", "plain http", [](Sample& s) { s.shape.ca_issuers_url = "ldap://pki.example.test/ca"; }},
    });
}

BOOST_AUTO_TEST_CASE(subjects) {
    const auto subject = [](std::vector<crypto::DnEntry> entries) {
        return [entries](Sample& s) { s.client_only(); s.content.subject = named(entries); };
    };
    check({
        {"subject_fields", "not the authorised one", [](Sample& s) { s.fields.subject_der = named({{common_name, "x"}}).to_der(); }},
        {"subject_length", "65 characters; 64 are the most", subject({{common_name, std::string(65, 'a')}})},
        {"subject_charset", "is empty", subject({{organization, ""}})},
        {"subject_charset", "control character", subject({{common_name, "a\nb"}})},
        {"subject_charset", "cannot be read", subject({{common_name, std::string("a\0b", 3)}})},
        {"subject_charset", "direction", subject({{common_name, "a\xe2\x80\xae""b"}})},
        {"subject_space", "space", subject({{organization, " Example"}})},
        {"subject_space", "space", subject({{organization, "Example "}})},
        {"subject_html", "HTML entity", subject({{organization, "A &amp; B"}})},
        {"subject_duplicate", "stands there twice", subject({{common_name, "a"}, {common_name, "b"}})},
        {"country", "ISO 3166", subject({{country, "de"}})},
        {"country", "ISO 3166", subject({{country, "XX"}})},
        {"common_name", "none of the subject alternative names", [](Sample& s) { s.content.subject = named({{common_name, "other.example.test"}}); }},
    });
    Sample longest;
    longest.client_only();
    std::string umlauts;  // 64 characters in 128 octets
    for (int i = 0; i < 64; ++i) umlauts += "ü";
    longest.content.subject = named({{common_name, umlauts}});
    BOOST_TEST(longest.lint().has_value());
}

BOOST_AUTO_TEST_CASE(names) {
    const auto name = [](GeneralNameType type, std::string value) {
        return [type, value](Sample& s) {
            s.client_only();
            s.content.names = {GeneralName(type, value)};
        };
    };
    const auto dns = [&](std::string value) { return name(GeneralNameType::dns, std::move(value)); };
    check({
        {"alt_names", "not the authorised", [](Sample& s) { s.fields.alt_names = {GeneralName(GeneralNameType::dns, "evil.example.test")}; }},
        {"alt_names", "missing", [](Sample& s) { s.no_names = true; }},
        {"empty_subject", "needs a subject alternative name", [](Sample& s) { s.content.subject = {}; s.no_names = true; }},
        {"alt_names", "twice", [](Sample& s) { s.content.names.push_back(s.content.names[0]); }},
        {"dns_name", "empty label", dns("a..b")},
        {"dns_name", "empty label", dns("example.test.")},
        {"dns_name", "hyphen", dns("-a.test")},
        {"dns_name", "lower-case", dns("A.test")},
        {"dns_name", "lower-case", dns("a_b.test")},
        {"dns_name", "63 octets", dns(std::string(64, 'a') + ".test")},
        {"dns_name", "253 octets", dns(std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(62, 'd'))},
        {"dns_name", "reserved label", dns("ab--c.test")},
        {"dns_name", "IP address", dns("192.0.2.1")},
        {"dns_name", "digits only", dns("a.127")},
        {"wildcard", "whole leftmost label", dns("a*.example.test")},
        {"wildcard", "whole leftmost label", dns("a.*.example.test")},
        {"wildcard", "whole leftmost label", dns("*")},
        {"wildcard", "directly below a top-level name", dns("*.test")},
        {"reserved_name", "multicast", name(GeneralNameType::ip, "224.0.0.1")},
        {"reserved_name", "unspecified", name(GeneralNameType::ip, "::")},
        {"alt_names", "no mailbox", name(GeneralNameType::email, "ada")},
        {"alt_names", "has a domain that", name(GeneralNameType::email, "ada@-x")},
        {"alt_names", "no absolute URI", name(GeneralNameType::uri, "/path")},
        {"alt_names", "DNS names and addresses only", [](Sample& s) { s.content.names.emplace_back(GeneralNameType::email, "a@example.test"); }},
    });
}

BOOST_AUTO_TEST_CASE(what_is_no_certificate_is_refused_before_any_other_lint) {
    const Sample sample;
    const auto good = sample.tbs();
    auto longer = good;
    longer.push_back(0);
    const auto refused = sample.lint(longer);
    BOOST_REQUIRE(!refused);
    check_refused(refused.error(), "lint.encoding: ");
    for (std::size_t n = 0; n < good.size(); ++n)
        BOOST_REQUIRE(!sample.lint(core::Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n))).has_value());
}

BOOST_AUTO_TEST_CASE(a_changed_octet_never_passes_unless_it_means_the_same) {
    const Sample sample;
    const auto good = sample.tbs();
    std::size_t passed = 0;
    std::string free;
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto changed = good;
        changed[i] ^= 0x01U;
        if (!sample.lint(changed)) continue;
        free += core::hex(core::BytesView(good).subspan(i, 1)) + " at " + std::to_string(i) + "; ";
        ++passed;
    }
    // Only the serial's 16 octets and what follows "http://" in the two URLs are free.
    const auto urls = sample.shape.ca_issuers_url.size() + sample.shape.crl_url.size() - 2 * std::string_view("http://").size();
    BOOST_TEST(passed <= 16 + urls, free);
}

BOOST_AUTO_TEST_CASE(version_extensions_and_criticality) {
    const Sample sample;
    const auto good = sample.tbs();
    const auto said = [&](const core::Bytes& tbs) {
        const auto linted = sample.lint(tbs);
        return linted ? std::string() : linted.error().check;
    };
    BOOST_TEST(said(with(good, {0xa0, 3, 2, 1, 2}, {0xa0, 3, 2, 1, 1})) == "lint.version");
    // extended key usage -> an OID that nobody issues; then one that is there already
    BOOST_TEST(said(with(good, {6, 3, 0x55, 0x1d, 0x25}, {6, 3, 0x55, 0x1d, 0x36})) == "lint.unknown_extension");
    BOOST_TEST(said(with(good, {6, 3, 0x55, 0x1d, 0x25}, {6, 3, 0x55, 0x1d, 0x0e})) == "lint.duplicate_extension");
    // the last octet of an OID does not announce another
    BOOST_TEST(said(with(good, {6, 3, 0x55, 0x1d, 0x25}, {6, 3, 0x55, 0x1d, 0xa5})) == "lint.encoding");
    // critical FALSE must not be written
    BOOST_TEST(said(with(good, {6, 3, 0x55, 0x1d, 0x0f, 1, 1, 0xff}, {6, 3, 0x55, 0x1d, 0x0f, 1, 1, 0x00})) == "lint.encoding");
    // key usage and basic constraints change places with what is not critical
    BOOST_TEST(said(with(good, {6, 3, 0x55, 0x1d, 0x0f, 1, 1, 0xff}, {6, 3, 0x55, 0x1d, 0x11, 1, 1, 0xff})) == "lint.criticality");
    // ecdsa-with-SHA1 is one octet and a bit away from ecdsa-with-SHA256
    BOOST_TEST(said(with(good, {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}, {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1})) == "lint.weak_hash");
}

BOOST_AUTO_TEST_CASE(an_rsa_key_may_encipher_and_not_agree) {
    static const auto rsa = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048")).public_key();
    Sample sample;
    sample.content.key = rsa;
    sample.content.key_usage = {KeyUsageBit::digital_signature, KeyUsageBit::key_encipherment};
    BOOST_TEST(sample.lint().has_value(), (sample.lint() ? "" : sample.lint().error().detail));
    sample.content.key_usage = {KeyUsageBit::key_agreement};
    check_refused(sample.lint().error(), "does not fit a key of type RSA 2048");
}

BOOST_AUTO_TEST_CASE(dates_from_2050_are_generalized_time) {
    Sample sample;
    sample.client_only();
    sample.issuer.not_after = core::from_ms(4'000'000'000'000);
    sample.content.not_after = core::from_ms(2'524'608'000'000);  // 2050-01-01T00:00:00Z
    BOOST_TEST(sample.lint().has_value(), (sample.lint() ? "" : sample.lint().error().detail));
    const auto tbs = sample.tbs();
    const std::string text(core::as_text(tbs));
    BOOST_TEST(text.find("20500101000000Z") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
