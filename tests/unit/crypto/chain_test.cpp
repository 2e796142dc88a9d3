#include "core/crypto/chain.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/folder.hpp"

/// Paths from a certificate to what an operator declared, with certificates that the openssl tool made.
BOOST_AUTO_TEST_SUITE(crypto_chain)

using namespace postern;
using namespace std::chrono_literals;
using crypto::Certificate;

/// Certificates by name, each of a key of its own.
struct Pki {
    /// `issuer` "": it signs itself.
    Certificate make(const std::string& name, const std::string& issuer, const std::string& extensions, int days = 30) {
        std::ofstream(folder.file(name + ".ext")) << extensions;
        const auto path = [&](const std::string& of, const char* what) { return folder.file(of + what); };
        const auto signer = issuer.empty() ? "-signkey " + path(name, ".key") : "-CA " + path(issuer, ".pem") + " -CAkey " + path(issuer, ".key") + " -CAcreateserial";
        run("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " + path(name, ".key") + " -out " + path(name, ".csr"));
        run("openssl x509 -req -in " + path(name, ".csr") + " " + signer + " -days " + std::to_string(days) + " -extfile " + path(name, ".ext") + " -out " + path(name, ".pem"));
        std::ostringstream pem;
        pem << std::ifstream(path(name, ".pem")).rdbuf();
        return Certificate::parse(crypto::from_pem("CERTIFICATE", pem.str()).value().at(0)).value();
    }
    Certificate ca(const std::string& name, const std::string& issuer, const std::string& more = {}, int days = 30) {
        return make(name, issuer, "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n" + more, days);
    }
    Certificate leaf(const std::string& issuer, int days = 30) {
        return make("leaf", issuer, "subjectAltName=DNS:www.example.com\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n", days);
    }
    static void run(const std::string& command) { BOOST_TEST_REQUIRE(std::system((command + " 2>/dev/null").c_str()) == 0); }
    test::Folder folder;
    const core::TimePoint now = core::from_ms(std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()) + 1min;
};

std::string names(const core::Result<std::vector<Certificate>>& path) {
    if (!path) return path.error().detail;
    std::string out;
    for (const auto& certificate : *path) out += certificate.subject().to_text() + ";";
    return out;
}

std::string path(const Certificate& leaf, std::vector<Certificate> sent, std::vector<Certificate> declared, core::TimePoint now) {
    crypto::PathMaterial material;
    material.leaf = leaf;
    material.sent = std::move(sent);
    material.declared = std::move(declared);
    return names(crypto::verified_path(material, now));
}

void refused(const std::string& said, std::string_view words) { BOOST_TEST(said.find(words) != std::string::npos, said << " should say " << words); }

BOOST_AUTO_TEST_CASE(a_path_goes_on_above_a_declared_issuer_to_the_root) {
    Pki pki;
    const auto root = pki.ca("root", ""), upper = pki.ca("upper", "root"), lower = pki.ca("lower", "upper");
    const auto leaf = pki.leaf("lower");
    BOOST_TEST(path(leaf, {upper}, {lower, root}, pki.now) == "CN=lower;CN=upper;CN=root;");
    BOOST_TEST(path(leaf, {lower, upper}, {root}, pki.now) == "CN=lower;CN=upper;CN=root;");
    BOOST_TEST(path(leaf, {}, {upper, lower, root}, pki.now) == "CN=lower;CN=upper;CN=root;");
    // Nobody declared a root, or none of this path's: what was declared of it is trusted.
    BOOST_TEST(path(leaf, {lower, upper, root}, {lower}, pki.now) == "CN=lower;");
    BOOST_TEST(path(leaf, {lower}, {upper}, pki.now) == "CN=lower;CN=upper;");
    BOOST_TEST(path(leaf, {lower}, {upper, pki.ca("another", "")}, pki.now) == "CN=lower;CN=upper;");
    refused(path(leaf, {lower, upper, root}, {pki.ca("stranger", "")}, pki.now), "does not end at a declared trust anchor: \"CN=root\"");
    refused(path(leaf, {}, {root}, pki.now), "does not end at a declared trust anchor: \"CN=leaf\"");
}

BOOST_AUTO_TEST_CASE(a_path_that_is_wrong_is_not_cut_short) {
    Pki pki;
    const auto root = pki.ca("root", ""), old = pki.ca("old", "root", "", 1), lower = pki.ca("lower", "old");
    const auto leaf = pki.leaf("lower");
    refused(path(leaf, {old}, {lower, root}, pki.now + 48h), "\"CN=old\" (");
    refused(path(leaf, {old}, {lower, root}, pki.now + 48h), "certificate has expired");
    BOOST_TEST(path(leaf, {old}, {lower}, pki.now + 48h) == "CN=lower;");
}

BOOST_AUTO_TEST_CASE(what_an_issuer_may_not_do_is_refused) {
    Pki pki;
    const auto root = pki.ca("root", "");
    const auto judged = [&](const std::string& name, const std::string& more) {
        const auto issuer = pki.ca(name, "root", more);
        return path(pki.leaf(name), {issuer}, {root}, pki.now);
    };
    refused(judged("vendor", "1.3.6.1.4.1.99999.1=critical,DER:0500\n"), "\"CN=vendor\" (");
    refused(judged("vendor", "1.3.6.1.4.1.99999.1=critical,DER:0500\n"), "unhandled critical extension: 1.3.6.1.4.1.99999.1");
    BOOST_TEST(judged("harmless", "1.3.6.1.4.1.99999.1=DER:0500\n") == "CN=harmless;CN=root;");
    refused(judged("narrow", "nameConstraints=critical,permitted;DNS:elsewhere.example\n"), "permitted subtree violation");
    BOOST_TEST(judged("wide", "nameConstraints=critical,permitted;DNS:example.com\n") == "CN=wide;CN=root;");
    const auto no_ca = pki.make("person", "root", "basicConstraints=critical,CA:FALSE\n");
    refused(path(pki.leaf("person"), {no_ca}, {root}, pki.now), "invalid CA certificate");
    const auto short_root = pki.make("short", "", "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n");
    const auto below = pki.ca("below", "short");
    refused(path(pki.leaf("below"), {below}, {short_root}, pki.now), "path length constraint exceeded");
    const auto signs_nothing = pki.make("mute", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n");
    refused(path(pki.leaf("mute"), {signs_nothing}, {root}, pki.now), "certificate");
}

BOOST_AUTO_TEST_CASE(when_the_leaf_is_valid_is_for_others_to_judge) {
    Pki pki;
    const auto root = pki.ca("root", "");
    const auto leaf = pki.leaf("root", 1);
    BOOST_TEST(path(leaf, {}, {root}, pki.now + 48h) == "CN=root;");
    const auto stranger = pki.ca("stranger", "");
    std::string forged = path(pki.leaf("stranger"), {}, {root}, pki.now);
    refused(forged, "does not end at a declared trust anchor");
}

BOOST_AUTO_TEST_SUITE_END()
