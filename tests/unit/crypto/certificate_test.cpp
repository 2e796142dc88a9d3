#include "core/crypto/certificate.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate_template.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/system_random.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using namespace std::chrono_literals;
using core::ProblemKind;
using crypto::Certificate;
using crypto::CertificateFields;
using crypto::CertificateShape;
using crypto::CertificateTemplate;
using crypto::DistinguishedName;
using crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;
using crypto::KeySpec;
using crypto::KeyType;
using crypto::KeyUsageBit;
using crypto::PrivateKey;
using test::contains;
using test::hex;
using test::refusal;

namespace {

core::TimePoint now() { return core::floor_seconds(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())); }

DistinguishedName named(std::string cn) {
    DistinguishedName name;
    name.entries = {{DnAttribute::organization, "Postern"}, {DnAttribute::common_name, std::move(cn)}};
    return name;
}

core::Bytes serial() {
    crypto::SystemRandom random;
    core::Bytes out = random.bytes(16);
    out[0] = static_cast<std::uint8_t>((out[0] & 0x7fU) | 0x40U);
    return out;
}

/// A private root and an issuing CA below it.
struct Authority {
    explicit Authority(KeySpec spec) : root(PrivateKey::generate(spec)), issuing(PrivateKey::generate(spec)) {
        root_der = certify(root, root, "Root", std::nullopt);
        issuing_der = certify(root, issuing, "Issuing", 0U);
    }
    [[nodiscard]] core::Bytes certify(const PrivateKey& signer, const PrivateKey& subject, const std::string& name, std::optional<unsigned> path) const {
        CertificateShape shape;
        shape.algorithm = signer.default_algorithm();
        shape.issuer_der = named("Root").to_der();
        if (path) shape.authority_key_id = signer.public_key().key_identifier();
        shape.ca = true;
        shape.path_length = path;
        shape.key_usage = {KeyUsageBit::key_cert_sign, KeyUsageBit::crl_sign, KeyUsageBit::digital_signature};
        CertificateFields fields;
        fields.serial = serial();
        fields.not_before = now() - 1h;
        fields.not_after = now() + 24h * 365 * 30;
        fields.subject_der = named(name).to_der();
        fields.spki = subject.public_key().spki();
        fields.subject_key_id = subject.public_key().key_identifier();
        const core::Bytes tbs = CertificateTemplate(shape).to_be_signed(fields);
        return crypto::assemble_signed(tbs, shape.algorithm, signer.sign(shape.algorithm, tbs));
    }
    PrivateKey root, issuing;
    core::Bytes root_der, issuing_der;
};

CertificateShape leaf_shape(const Authority& authority) {
    CertificateShape shape;
    shape.algorithm = authority.issuing.default_algorithm();
    shape.issuer_der = named("Issuing").to_der();
    shape.authority_key_id = authority.issuing.public_key().key_identifier();
    shape.key_usage = {KeyUsageBit::digital_signature, KeyUsageBit::key_encipherment};
    shape.extended_key_usage = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"};
    shape.policies = {"2.23.140.1.2.1"};
    shape.ca_issuers_url = "http://ca.example/ca/1.cer";
    shape.ocsp_url = "http://ca.example/ocsp/1";
    shape.crl_url = "http://ca.example/crl/1/0.crl";
    return shape;
}

CertificateFields leaf_fields(const PrivateKey& key) {
    CertificateFields fields;
    fields.serial = serial();
    fields.not_before = now() - 1h;
    fields.not_after = now() + 24h * 90 - 1s;
    fields.subject_der = DistinguishedName().to_der();
    fields.spki = key.public_key().spki();
    fields.subject_key_id = key.public_key().key_identifier();
    fields.alt_names = {{GeneralNameType::dns, "www.example.com"}, {GeneralNameType::ip, "2001:db8::1"}};
    return fields;
}

core::Bytes issue(const Authority& authority, const CertificateShape& shape, const CertificateFields& fields) {
    const core::Bytes tbs = CertificateTemplate(shape).to_be_signed(fields);
    return crypto::assemble_signed(tbs, shape.algorithm, authority.issuing.sign(shape.algorithm, tbs));
}

/// `openssl verify -x509_strict` of that leaf below that authority.
std::string verified(const Authority& authority, const core::Bytes& leaf) {
    const test::TemporaryFolder folder;
    const std::string root = folder.write("root.pem", crypto::to_pem("CERTIFICATE", authority.root_der));
    const std::string issuing = folder.write("issuing.pem", crypto::to_pem("CERTIFICATE", authority.issuing_der));
    const std::string path = folder.write("leaf.pem", crypto::to_pem("CERTIFICATE", leaf));
    return test::run("openssl verify -x509_strict -purpose sslserver -CAfile " + root + " -untrusted " + issuing + " " + path).output;
}

std::string printed(const core::Bytes& der) {
    const test::TemporaryFolder folder;
    return test::run("openssl x509 -inform DER -noout -text -in " + folder.write("a.der", der)).output;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_certificate)

BOOST_AUTO_TEST_CASE(certificates_of_openssl_are_read) {
    const auto root = Certificate::parse(test::data_file("root.der"));
    const auto leaf = Certificate::parse(test::data_file("leaf.der"));
    BOOST_REQUIRE(root.has_value());
    BOOST_REQUIRE(leaf.has_value());
    BOOST_TEST(root->is_ca());
    BOOST_TEST((root->serial() == hex("c0ffee")));
    BOOST_TEST((root->issuer_der() == root->subject_der()));
    BOOST_TEST(root->subject().to_text() == "CN=Root,O=Example");
    BOOST_TEST(!leaf->is_ca());
    BOOST_TEST((leaf->serial() == hex("1234")));
    BOOST_TEST((leaf->issuer_der() == root->subject_der()));
    BOOST_TEST((leaf->authority_key_id() == root->subject_key_id()));
    BOOST_TEST((leaf->not_after() - leaf->not_before() == 24h * 30));
    BOOST_TEST(leaf->alt_names().size() == 5U);
    BOOST_TEST((leaf->alt_names()[3] == GeneralName(GeneralNameType::ip, "192.0.2.1")));
    BOOST_TEST((leaf->alt_names()[4].der == hex("88022a03")));  // RID:1.2.3

    const auto issuer = crypto::PublicKey::from_spki(root->spki(), crypto::KeyUse::authority);
    BOOST_TEST(leaf->signed_by(issuer.value()));
    BOOST_TEST(root->signed_by(issuer.value()));
    BOOST_TEST(!leaf->signed_by(PrivateKey::generate(KeySpec()).public_key()));
    core::Bytes changed = leaf->der();
    changed.back() ^= 1;
    BOOST_TEST(!Certificate::parse(changed).value().signed_by(issuer.value()));
}

BOOST_AUTO_TEST_CASE(what_is_issued_is_read_back_and_passes_openssl) {
    for (const auto& spec : {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::ec_p384, 384), KeySpec(KeyType::rsa, 2048), KeySpec(KeyType::ed25519, 256)}) {
        const Authority authority(spec);
        const PrivateKey key = PrivateKey::generate(KeySpec());
        const CertificateFields fields = leaf_fields(key);
        const core::Bytes der = issue(authority, leaf_shape(authority), fields);
        const auto read = Certificate::parse(der);
        BOOST_REQUIRE_MESSAGE(read.has_value(), refusal(read, ProblemKind::malformed));
        BOOST_TEST((read->serial() == fields.serial));
        BOOST_TEST((read->not_before() == fields.not_before));
        BOOST_TEST((read->not_after() == fields.not_after));
        BOOST_TEST((read->issuer_der() == named("Issuing").to_der()));
        BOOST_TEST((read->subject_der() == fields.subject_der));
        BOOST_TEST((read->spki() == fields.spki));
        BOOST_TEST((read->alt_names() == fields.alt_names));
        BOOST_TEST((read->authority_key_id() == authority.issuing.public_key().key_identifier()));
        BOOST_TEST((read->subject_key_id() == fields.subject_key_id));
        BOOST_TEST(!read->is_ca());
        BOOST_TEST((core::to_bytes(read->tbs()) == CertificateTemplate(leaf_shape(authority)).to_be_signed(fields)));
        BOOST_TEST(read->signed_by(authority.issuing.public_key()));
        BOOST_TEST(!read->signed_by(authority.root.public_key()));
        const std::string output = verified(authority, der);
        BOOST_TEST(contains(output, "leaf.pem: OK"), output);
    }
}

BOOST_AUTO_TEST_CASE(extensions_are_those_openssl_prints) {
    const Authority authority{KeySpec()};
    CertificateFields fields = leaf_fields(PrivateKey::generate(KeySpec()));
    fields.must_staple = true;
    const std::string text = printed(issue(authority, leaf_shape(authority), fields));
    const std::string_view expected[] = {
        "Version: 3 (0x2)",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment",
        "X509v3 Extended Key Usage: \n                TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Subject Alternative Name: critical\n                DNS:www.example.com, IP Address:2001:DB8:0:0:0:0:0:1",
        "Policy: 2.23.140.1.2.1",
        "OCSP - URI:http://ca.example/ocsp/1",
        "CA Issuers - URI:http://ca.example/ca/1.cer",
        "URI:http://ca.example/crl/1/0.crl",
        "TLS Feature: \n                status_request",
    };
    for (const auto part : expected) BOOST_TEST(contains(text, part), part << "\nnot in\n" << text);

    fields.subject_der = named("www.example.com").to_der();
    fields.must_staple = false;
    const std::string with_subject = printed(issue(authority, leaf_shape(authority), fields));
    BOOST_TEST(contains(with_subject, "X509v3 Subject Alternative Name: \n"));
    BOOST_TEST(!contains(with_subject, "TLS Feature"));

    const std::string ca = printed(authority.issuing_der);
    BOOST_TEST(contains(ca, "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0"));
    BOOST_TEST(contains(ca, "X509v3 Key Usage: critical\n                Digital Signature, Certificate Sign, CRL Sign"));
    BOOST_TEST(!contains(printed(authority.root_der), "pathlen"));
    BOOST_TEST(Certificate::parse(authority.root_der).value().is_ca());
}

BOOST_AUTO_TEST_CASE(what_is_not_wanted_is_left_out) {
    const Authority authority{KeySpec()};
    CertificateShape shape = leaf_shape(authority);
    shape.policies.clear();
    shape.ca_issuers_url.clear();
    shape.ocsp_url.clear();
    shape.crl_url.clear();
    shape.extended_key_usage.clear();
    const core::Bytes der = issue(authority, shape, leaf_fields(PrivateKey::generate(KeySpec())));
    const std::string text = printed(der);
    for (const std::string_view absent : {"Policies", "Information Access", "CRL Distribution", "Extended Key Usage"}) BOOST_TEST(!contains(text, absent), absent);
    BOOST_TEST(contains(verified(authority, der), "OK"));
}

BOOST_AUTO_TEST_CASE(a_high_serial_stays_positive_and_an_empty_one_is_a_fault) {
    const Authority authority{KeySpec()};
    CertificateFields fields = leaf_fields(PrivateKey::generate(KeySpec()));
    fields.serial = core::Bytes(16, 0xff);
    BOOST_TEST((Certificate::parse(issue(authority, leaf_shape(authority), fields)).value().serial() == fields.serial));
    fields.serial.clear();
    BOOST_CHECK_THROW(issue(authority, leaf_shape(authority), fields), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(dates_beyond_2049_are_read_by_openssl) {
    const Authority authority{KeySpec()};
    CertificateFields fields = leaf_fields(PrivateKey::generate(KeySpec()));
    fields.not_after = core::from_rfc3339("2050-01-01T00:00:00Z").value();
    BOOST_TEST(contains(printed(issue(authority, leaf_shape(authority), fields)), "Not After : Jan  1 00:00:00 2050 GMT"));
}

BOOST_AUTO_TEST_CASE(broken_certificates_say_which_field) {
    const core::Bytes good = test::data_file("leaf.der");
    core::Bytes trailing = good;
    trailing.push_back(0);
    const auto replaced = [&](std::string_view from, std::string_view to) {
        core::Bytes out = good;
        const core::Bytes pattern = hex(from);
        const auto at = std::search(out.begin(), out.end(), pattern.begin(), pattern.end());
        BOOST_REQUIRE(at != out.end());
        const core::Bytes fresh = hex(to);
        std::copy(fresh.begin(), fresh.end(), at);
        return out;
    };
    const std::pair<core::Bytes, std::string_view> table[] = {
        {{}, "it is not DER"},
        {trailing, "bytes follow its end"},
        {hex("3000"), "not content, algorithm and signature"},
        {test::data_file("p256.csr"), "serial number"},
        {replaced("a003020102", "a003020105"), "version is neither"},
        {replaced("a003020102", "a003020101"), "has extensions but is not version 3"},
        {replaced("02021234", "02028234"), "serial number is not a positive INTEGER"},
        {replaced("02021234", "02020034"), "something within it is not DER"},
        {replaced("300d06092a864886f70d01010b", "300d06092a864886f70d01010c"), "inside and outside of the signed part differ"},
        {replaced("0603551d23", "0603551d11"), "is there twice"},
        {replaced("30168014", "30168414"), "authorityKeyIdentifier is broken"},
        {replaced("8704c0000201", "8904c0000201"), "no general name"},
    };
    for (const auto& [bytes, expected] : table) {
        const std::string detail = refusal(Certificate::parse(bytes), ProblemKind::malformed);
        BOOST_TEST(contains(detail, expected), detail << " instead of " << expected);
        BOOST_TEST(detail.starts_with("the certificate cannot be read: "));
    }
    for (std::size_t n = 0; n < good.size(); ++n) BOOST_TEST(!Certificate::parse(core::BytesView(good).first(n)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crypto_pem)

BOOST_AUTO_TEST_CASE(blocks_come_back_in_order) {
    const auto blocks = crypto::from_pem("CERTIFICATE", test::text_file("chain.pem"));
    BOOST_REQUIRE(blocks.has_value());
    BOOST_REQUIRE(blocks->size() == 2U);
    BOOST_TEST(((*blocks)[0] == test::data_file("root.der")));
    BOOST_TEST(((*blocks)[1] == test::data_file("leaf.der")));
    const std::string both = crypto::to_pem("CERTIFICATE", (*blocks)[0]) + crypto::to_pem("CERTIFICATE", (*blocks)[1]);
    BOOST_TEST((crypto::from_pem("CERTIFICATE", both).value() == *blocks));
    BOOST_TEST(crypto::from_pem("X509 CRL", both).value().empty());
}

BOOST_AUTO_TEST_CASE(the_form_is_that_of_openssl_to_the_byte) {
    const auto openssl = test::run("openssl x509 -inform DER -in " POSTERN_TEST_DATA "/crypto/leaf.der");
    BOOST_TEST(crypto::to_pem("CERTIFICATE", test::data_file("leaf.der")) == openssl.output);
    BOOST_TEST(crypto::to_pem("X", core::Bytes(48)) == "-----BEGIN X-----\n" + std::string(64, 'A') + "\n-----END X-----\n");
}

BOOST_AUTO_TEST_CASE(windows_line_ends_are_read_and_broken_blocks_refused) {
    BOOST_TEST((crypto::from_pem("X", "-----BEGIN X-----\r\nZm9v\r\nYmFy\r\n-----END X-----\r\n").value().at(0) == test::octets("foobar")));
    for (const std::string_view broken : {"-----BEGIN X-----\nZm9*\n-----END X-----\n", "-----BEGIN X-----\n-----END X-----\n", "-----BEGIN X-----\nZm9\n-----END X-----\n"})
        BOOST_TEST(contains(refusal(crypto::from_pem("X", broken), ProblemKind::malformed), "a PEM block of X holds broken base64"));
    BOOST_TEST(contains(refusal(crypto::from_pem("X", "-----BEGIN X-----\nZm9v\n"), ProblemKind::malformed), "has no END line"));
    BOOST_TEST(crypto::from_pem("X", "text -----BEGIN X-----").value().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crypto_crl)

BOOST_AUTO_TEST_CASE(lists_pass_openssl) {
    for (const auto& spec : {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::rsa, 2048)}) {
        const Authority authority(spec);
        crypto::CrlFields fields;
        fields.algorithm = authority.issuing.default_algorithm();
        fields.issuer_der = named("Issuing").to_der();
        fields.authority_key_id = authority.issuing.public_key().key_identifier();
        fields.number = 300;
        fields.this_update = now();
        fields.next_update = now() + 24h * 7;
        const test::TemporaryFolder folder;
        const std::string ca = folder.write("ca.pem", crypto::to_pem("CERTIFICATE", authority.issuing_der));
        const auto checked = [&] {
            const core::Bytes tbs = crypto::crl_to_be_signed(fields);
            const core::Bytes der = crypto::assemble_signed(tbs, fields.algorithm, authority.issuing.sign(fields.algorithm, tbs));
            return test::run("openssl crl -inform DER -noout -text -CAfile " + ca + " -in " + folder.write("a.crl", der)).output;
        };
        const std::string empty = checked();
        BOOST_TEST(contains(empty, "verify OK"), empty);
        BOOST_TEST(contains(empty, "No Revoked Certificates"), empty);
        BOOST_TEST(contains(empty, "X509v3 CRL Number: \n                300"));

        for (unsigned i = 0; i < 1000; ++i) {
            crypto::CrlEntry entry;
            entry.serial = serial();
            entry.revoked = now() - 1h;
            entry.reason = i % 6;
            fields.entries.push_back(std::move(entry));
        }
        fields.entries[0].serial = hex("a1b2");
        fields.distribution_point = "http://ca.example/crl/1/0.crl";
        const std::string full = checked();
        BOOST_TEST(contains(full, "verify OK"), full.substr(0, 2000));
        BOOST_TEST(contains(full, "Version 2 (0x1)"));
        BOOST_TEST(contains(full, "Serial Number: A1B2\n"));
        BOOST_TEST(contains(full, "Key Compromise"));
        BOOST_TEST(!contains(full, "Unspecified"));
        BOOST_TEST(contains(full, "X509v3 Issuing Distribution Point: critical"));
        BOOST_TEST(contains(full, "URI:http://ca.example/crl/1/0.crl"));
    }
}

BOOST_AUTO_TEST_CASE(openssl_finds_the_revoked_certificate) {
    const Authority authority{KeySpec()};
    const CertificateShape shape = leaf_shape(authority);
    const CertificateFields revoked = leaf_fields(PrivateKey::generate(KeySpec()));
    const CertificateFields good = leaf_fields(PrivateKey::generate(KeySpec()));
    crypto::CrlFields fields;
    fields.issuer_der = named("Issuing").to_der();
    fields.authority_key_id = authority.issuing.public_key().key_identifier();
    fields.this_update = now() - 1h;
    fields.next_update = now() + 24h;
    fields.distribution_point = shape.crl_url;
    fields.entries.resize(1);
    fields.entries[0].serial = revoked.serial;
    fields.entries[0].revoked = now() - 1h;
    fields.entries[0].reason = 1;
    const core::Bytes tbs = crypto::crl_to_be_signed(fields);
    const core::Bytes crl = crypto::assemble_signed(tbs, fields.algorithm, authority.issuing.sign(fields.algorithm, tbs));

    const test::TemporaryFolder folder;
    const std::string files = " -CAfile " + folder.write("root.pem", crypto::to_pem("CERTIFICATE", authority.root_der)) + " -untrusted " +
                              folder.write("issuing.pem", crypto::to_pem("CERTIFICATE", authority.issuing_der)) + " -CRLfile " +
                              folder.write("a.crl", crypto::to_pem("X509 CRL", crl)) + " ";
    const auto check = [&](const CertificateFields& leaf) {
        return test::run("openssl verify -x509_strict -crl_check -extended_crl" + files + folder.write("leaf.pem", crypto::to_pem("CERTIFICATE", issue(authority, shape, leaf)))).output;
    };
    BOOST_TEST(contains(check(revoked), "certificate revoked"));
    const std::string output = check(good);
    BOOST_TEST(contains(output, "leaf.pem: OK"), output);
}

BOOST_AUTO_TEST_SUITE_END()
