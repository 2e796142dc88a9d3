#include <set>
#include <thread>

#include "tests/unit/ca/support.hpp"

using namespace postern;
using namespace postern::test;

namespace {

struct Issuer {
    Issuer() : ca(world.open()) {}
    ca::Content content() { return content_at(world.clock.now(), leaf_key()); }
    core::Problem refusal(const ca::Content& of) {
        const auto prepared = ca->prepare(ra::Enrollment::authorize(of));
        BOOST_REQUIRE(!prepared);
        BOOST_TEST((prepared.error().kind == core::ProblemKind::bad_content));
        return prepared.error();
    }
    crypto::PublicKey issuer_key(const core::Bytes& leaf) {
        const auto id = core::hex(crypto::Certificate::parse(leaf)->authority_key_id());
        const auto certificate = crypto::Certificate::parse(ca->chain(id).at(0));
        return *crypto::PublicKey::from_spki(certificate->spki(), crypto::KeyUse::authority);
    }
    World world;
    std::unique_ptr<ca::BuiltinCa> ca;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_issuance)

BOOST_FIXTURE_TEST_CASE(a_certificate_is_what_was_prepared_and_authorised, Issuer) {
    ca::Prepared prepared;
    const auto leaf = issue(*ca, content(), &prepared);
    const auto key = issuer_key(leaf);
    const auto checked = ca::check_issued(leaf, content(), prepared.tbs, &key);
    BOOST_REQUIRE_MESSAGE(checked.has_value(), (checked ? "" : checked.error().detail));
    BOOST_TEST(checked->serial() == prepared.serial);
    BOOST_TEST(core::hex(checked->authority_key_id()) == prepared.issuer_key_id);
    const auto text = run("openssl x509 -inform DER -noout -text -in " +
                          write_file(world.folder.file("leaf.der"), core::as_text(leaf))).text;
    for (const auto* line : {"DNS:www.example.test", "TLS Web Server Authentication", "X509v3 Key Usage: critical"})
        BOOST_TEST(text.find(line) != std::string::npos, line << " in " << text);
    BOOST_TEST(text.find("CA Issuers - URI:http://pki.example.test:8080/ca/" + prepared.issuer_key_id + ".cer") != std::string::npos);
    BOOST_TEST(text.find("URI:http://pki.example.test:8080/crl/" + prepared.issuer_key_id + "/0.crl") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(serials_are_sixteen_octets_positive_and_unique, Issuer) {
    std::set<core::Bytes> seen;
    unsigned second_bit = 0;
    const auto authorized = ra::Enrollment::authorize(content());
    constexpr unsigned count = 2000;
    for (unsigned i = 0; i < count; ++i) {
        const auto prepared = ca->prepare(authorized);
        BOOST_REQUIRE(prepared.has_value());
        const auto& serial = prepared->serial;
        BOOST_REQUIRE(serial.size() == 16U);
        BOOST_REQUIRE((serial[0] & 0x80U) == 0U);
        BOOST_REQUIRE(serial[0] != 0U);
        second_bit += (serial[0] >> 6U) & 1U;
        BOOST_REQUIRE(seen.insert(serial).second);
    }
    BOOST_TEST(second_bit > count * 4 / 10);
    BOOST_TEST(second_bit < count * 6 / 10);
}

BOOST_FIXTURE_TEST_CASE(dates_outside_the_issuers_are_refused, Issuer) {
    auto late = content();
    late.tls_server = false;
    late.extended_key_usage = {"1.3.6.1.5.5.7.3.2"};
    late.not_after = ca->latest_not_after();
    BOOST_TEST(ca->prepare(ra::Enrollment::authorize(late)).has_value());
    late.not_after += 1s;
    check_refused(refusal(late), "lint.validity: notAfter");
    BOOST_TEST(refusal(late).check == "lint.validity");

    auto early = content();
    early.not_before = core::floor_seconds(world.clock.now()) - 24h - 1s;
    check_refused(refusal(early), "lint.backdated: notBefore");
    auto ended = content();
    ended.not_before -= 2h;
    ended.not_after = world.clock.now() - 1s;
    check_refused(refusal(ended), "lint.validity: the certificate would have ended already");
}

BOOST_FIXTURE_TEST_CASE(content_without_a_key_is_refused, Issuer) {
    auto keyless = content();
    keyless.key = crypto::PublicKey();
    check_refused(refusal(keyless), "there is no public key");
}

BOOST_FIXTURE_TEST_CASE(templates_follow_the_profiles_version_and_the_authorised_usage, Issuer) {
    auto first = content();
    issue(*ca, first);
    auto changed = first;  // the same profile and version, yet another usage: the content wins
    changed.key_usage = {crypto::KeyUsageBit::digital_signature, crypto::KeyUsageBit::key_agreement};
    ca::Prepared prepared;
    const auto leaf = issue(*ca, changed, &prepared);
    BOOST_TEST(ca::check_issued(leaf, changed, prepared.tbs, nullptr).has_value());
    BOOST_TEST(run("openssl x509 -inform DER -noout -text -in " + write_file(world.folder.file("l"), core::as_text(leaf)))
                   .text.find("Key Agreement") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_prepared_certificate_is_signed_for_its_own_content_only, Issuer) {
    const auto prepared = ca->prepare(ra::Enrollment::authorize(content()));
    BOOST_REQUIRE(prepared.has_value());
    auto other = content();
    other.names.emplace_back(crypto::GeneralNameType::dns, "evil.example.test");
    const auto authorized = ra::Enrollment::authorize(other);
    const auto outcome = core::run_to_end(ca->issue(authorized, *prepared, core::deadline_in(10s)));
    BOOST_REQUIRE(!outcome);
    check_refused(outcome.error(), "this is not the content that was linted");

    auto foreign = *prepared;
    foreign.issuer_key_id = "00";
    const auto mine = ra::Enrollment::authorize(content());
    const auto refused = core::run_to_end(ca->issue(mine, foreign, core::deadline_in(10s)));
    BOOST_REQUIRE(!refused);
    check_refused(refused.error(), "prepared for another issuing CA");
}

BOOST_FIXTURE_TEST_CASE(a_passed_deadline_signs_nothing, Issuer) {
    const auto authorized = ra::Enrollment::authorize(content());
    const auto prepared = ca->prepare(authorized);
    const auto outcome = core::run_to_end(ca->issue(authorized, *prepared, core::deadline_in(-1s)));
    BOOST_REQUIRE(!outcome);
    BOOST_TEST((outcome.error().kind == core::ProblemKind::unavailable));
    BOOST_TEST(world.metrics.scrape().find("kind=\"certificate\"} 0") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(what_came_back_wrong_is_found, Issuer) {
    ca::Prepared prepared;
    const auto leaf = issue(*ca, content(), &prepared);
    const auto key = issuer_key(leaf);

    auto other_key = content();
    other_key.key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    auto other_names = content();
    other_names.names[0].value = "other.example.test";
    auto shorter = content();
    shorter.not_after -= 1s;
    const std::pair<ca::Content, std::string> wrong[] = {
        {other_key, "issued.key"}, {other_names, "issued.names"}, {shorter, "issued.validity"}};
    for (const auto& [expected, name] : wrong) {
        const auto checked = ca::check_issued(leaf, expected, {}, &key);
        BOOST_REQUIRE(!checked);
        BOOST_TEST(checked.error().check == name);
        BOOST_TEST((checked.error().kind == core::ProblemKind::internal));
    }
    auto tbs = prepared.tbs;
    tbs.back() ^= 1U;
    BOOST_TEST(ca::check_issued(leaf, content(), tbs, &key).error().check == "issued.content");
    const auto stranger = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    BOOST_TEST(ca::check_issued(leaf, content(), prepared.tbs, &stranger).error().check == "issued.signature");
    BOOST_TEST(ca::check_issued(core::Bytes(10, 0x30), content(), {}, &key).error().check == "issued.encoding");
    BOOST_TEST(ca::check_issued(ca->root_der(), content(), {}, nullptr).error().check == "issued.key");
}

BOOST_FIXTURE_TEST_CASE(the_chain_is_the_issuing_ca_and_nothing_for_strangers, Issuer) {
    ca::Prepared prepared;
    issue(*ca, content(), &prepared);
    const auto chain = ca->chain(prepared.issuer_key_id);
    BOOST_REQUIRE(chain.size() == 1U);
    BOOST_TEST(chain[0] != ca->root_der());
    BOOST_TEST(ca->chain("0011").empty());
    BOOST_TEST(ca->capabilities().revoke);
    BOOST_TEST(!ca->foreign());
}

BOOST_FIXTURE_TEST_CASE(several_threads_issue_at_once, Issuer) {
    std::vector<std::thread> threads;
    std::atomic<int> made{0};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            auto mine = content();
            mine.profile_version = t % 2;
            for (int i = 0; i < 50; ++i) made += issue(*ca, mine).empty() ? 0 : 1;
        });
    for (auto& thread : threads) thread.join();
    BOOST_TEST(made == 200);
}

BOOST_AUTO_TEST_SUITE_END()
