#include "scep/ca_certificates.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>

#include "core/crypto/der.hpp"
#include "tests/unit/crypto/support.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
namespace der = crypto::der;
using crypto::CmsCertificate;
using crypto::KeyUsageBit;
using scep::CaChain;
using scep::ChainForm;
using test::scep_certificate;

namespace {

/// The certificates of a degenerate SignedData, in the order of the octets.
std::vector<CmsCertificate> bag_of(core::BytesView body) {
    std::vector<CmsCertificate> out;
    der::Reader outer(body);
    der::Reader info(outer.next(der::sequence).value().content);
    info.next(der::oid);
    der::Reader wrapped(info.next(der::context_constructed(0)).value().content);
    der::Reader fields(wrapped.next(der::sequence).value().content);
    fields.next(der::integer);
    fields.next(der::set);
    fields.next(der::sequence);
    der::Reader bag(fields.next(der::context_constructed(0)).value().content);
    while (!bag.empty()) out.push_back(CmsCertificate::parse(bag.next(der::sequence).value().whole).value());
    return out;
}

/// Which certificate Apple's clients encrypt for (scep.md §3), or nothing where they give up: for
/// x-x509-ca-cert the only one; for x-x509-ca-ra-cert all certificates are chained within the bag, all
/// chains must end in the same one, and the first that nobody else there was issued by and that states both
/// usages wins. (Apple also takes two certificates with one usage each; Postern has none.)
std::optional<core::Bytes> apple_recipient(const scep::CaCertificates& answer) {
    if (answer.media_type == "application/x-x509-ca-cert") return CmsCertificate::parse(answer.body).value().der();
    const auto bag = bag_of(answer.body);
    const std::function<const CmsCertificate*(const CmsCertificate*, unsigned)> top = [&](const CmsCertificate* each, unsigned depth) -> const CmsCertificate* {
        if (each->self_issued() || depth > bag.size()) return each;
        for (const auto& other : bag)
            if (other.subject_der() == each->issuer_der()) return top(&other, depth + 1);
        return each;
    };
    for (const auto& each : bag)
        if (top(&each, 0)->der() != top(&bag.front(), 0)->der()) return std::nullopt;
    for (const auto& each : bag) {
        const bool issues = std::ranges::any_of(bag, [&](const CmsCertificate& other) { return &other != &each && other.issuer_der() == each.subject_der(); });
        if (!issues && each.states(KeyUsageBit::digital_signature) && each.states(KeyUsageBit::key_encipherment)) return each.der();
    }
    return std::nullopt;
}

CaChain chain(std::optional<std::string_view> ra, std::initializer_list<std::string_view> issuers) {
    CaChain out;
    if (ra) out.ra = scep_certificate(*ra);
    for (const auto name : issuers) out.issuers.push_back(scep_certificate(name));
    return out;
}

std::string problem(const CaChain& chain, ChainForm form) {
    const auto found = scep::check_chain(chain, form);
    return found ? std::string(core::to_string(found->kind)) + ": " + found->detail : "fine";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scep_ca_certificates)

BOOST_AUTO_TEST_CASE(every_form_that_is_accepted_lets_apple_find_the_recipient) {
    struct Row {
        CaChain chain;
        ChainForm form;
        std::string_view media_type;
        std::vector<std::string_view> sent;
    };
    const CaChain full = chain("ra", {"issuer", "root"});
    const Row table[] = {
        {chain(std::nullopt, {"lone-ca"}), ChainForm::issuer, "application/x-x509-ca-cert", {"lone-ca"}},
        {chain(std::nullopt, {"lone-ca"}), ChainForm::chain, "application/x-x509-ca-cert", {"lone-ca"}},
        {full, ChainForm::issuer, "application/x-x509-ca-ra-cert", {"ra", "issuer"}},
        {full, ChainForm::chain, "application/x-x509-ca-ra-cert", {"ra", "issuer"}},
        {full, ChainForm::chain_and_root, "application/x-x509-ca-ra-cert", {"ra", "issuer", "root"}},
        {chain("ra", {"issuer"}), ChainForm::chain, "application/x-x509-ca-ra-cert", {"ra", "issuer"}},
        {chain("ra-of-root", {"root"}), ChainForm::chain, "application/x-x509-ca-ra-cert", {"ra-of-root", "root"}},
    };
    for (const auto& row : table) {
        BOOST_TEST(problem(row.chain, row.form) == "fine");
        const auto answer = scep::ca_certificates(row.chain, row.form);
        BOOST_TEST(answer.media_type == row.media_type);
        const auto recipient = apple_recipient(answer);
        BOOST_REQUIRE(recipient.has_value());
        BOOST_TEST((*recipient == scep_certificate(row.sent.front()).der()));
        if (row.sent.size() == 1) continue;
        const auto bag = bag_of(answer.body);
        BOOST_REQUIRE(bag.size() == row.sent.size());
        for (std::size_t i = 0; i < bag.size(); ++i) BOOST_TEST((bag[i].der() == scep_certificate(row.sent[i]).der()));
    }
}

BOOST_AUTO_TEST_CASE(chains_that_clients_would_give_up_on_are_refused_when_set_up) {
    struct Row {
        CaChain chain;
        ChainForm form;
        std::string_view expected;
        bool apple_gives_up;
    };
    const Row table[] = {
        {chain("ra-without-usage", {"issuer", "root"}), ChainForm::chain, "the RA certificate does not state digitalSignature and keyEncipherment", true},
        {chain("ra-of-root", {"issuer"}), ChainForm::chain, "the RA certificate was not issued by the CA", true},
        {chain(std::nullopt, {"issuer", "root"}), ChainForm::chain_and_root, "several certificates without an RA certificate", true},
        {chain("ra-with-ec-key", {"issuer"}), ChainForm::chain, "the RA certificate has no RSA key", false},
        {chain(std::nullopt, {"issuer"}), ChainForm::issuer, "the issuing CA does not state digitalSignature and keyEncipherment", false},
        {chain("ra", {"issuer"}), ChainForm::chain_and_root, "the chain does not end in a root", false},
        {chain("ra", {"issuer", "lone-ca"}), ChainForm::chain, "the chain is broken: its certificates do not sign one another", false},
        {chain("ra", {"root", "issuer"}), ChainForm::chain, "the chain is broken: its certificates do not sign one another", false},
    };
    for (const auto& row : table) {
        BOOST_TEST(test::contains(problem(row.chain, row.form), "bad_content: " + std::string(row.expected)), problem(row.chain, row.form));
        if (row.apple_gives_up) BOOST_TEST(!apple_recipient(scep::ca_certificates(row.chain, row.form)).has_value(), row.expected);
    }
    BOOST_TEST(problem(CaChain(), ChainForm::issuer) == "bad_content: the chain has no issuing CA");
}

BOOST_AUTO_TEST_CASE(an_ra_of_another_ca_is_shown_with_both_chains) {
    // Below the same root: Apple's clients find it.
    CaChain same = chain("ra-of-root", {"issuer", "root"});
    same.ra_issuers.push_back(scep_certificate("root"));
    for (const auto form : {ChainForm::issuer, ChainForm::chain_and_root}) {
        BOOST_TEST(problem(same, form) == "fine");
        const auto answer = scep::ca_certificates(same, form);
        BOOST_TEST((apple_recipient(answer) == scep_certificate("ra-of-root").der()));
        BOOST_TEST(bag_of(answer.body).size() == 3U);  // the root once
    }
    // Of two roots: said when it is set up, and others use it all the same.
    CaChain apart = chain("ra", {"lone-ca"});
    apart.ra_issuers = chain("ra", {"issuer", "root"}).issuers;
    BOOST_TEST(test::contains(problem(apart, ChainForm::chain), "do not chain to the same root: Apple's clients (iOS, macOS) enroll nothing here"));
    const auto answer = scep::ca_certificates(apart, ChainForm::chain_and_root);
    BOOST_TEST(!apple_recipient(answer).has_value());
    const auto bag = bag_of(answer.body);
    BOOST_TEST_REQUIRE(bag.size() == 4U);
    BOOST_TEST((bag[0].der() == scep_certificate("ra").der() && bag[1].der() == scep_certificate("lone-ca").der()));
    apart.ra_issuers.erase(apart.ra_issuers.begin());
    BOOST_TEST(test::contains(problem(apart, ChainForm::chain), "was not issued by the CA that it is shown with"));
}

BOOST_AUTO_TEST_CASE(openssl_reads_the_bag_in_the_same_order) {
    const test::TemporaryFolder folder;
    const auto answer = scep::ca_certificates(chain("ra", {"issuer", "root"}), ChainForm::chain_and_root);
    const auto printed = test::run("openssl pkcs7 -inform DER -print_certs -noout -in " + folder.write("bag", answer.body));
    const auto ra = printed.output.find("subject=CN = Postern Test RA");
    const auto issuer = printed.output.find("subject=CN = Postern Test Issuing CA");
    const auto root = printed.output.find("subject=CN = Postern Test Root");
    BOOST_TEST(root != std::string::npos, printed.output);
    BOOST_TEST(ra < issuer);
    BOOST_TEST(issuer < root);
}

BOOST_AUTO_TEST_SUITE_END()
