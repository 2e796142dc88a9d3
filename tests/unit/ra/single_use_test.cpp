#include "store/tables/credential_use.hpp"
#include "tests/unit/ra/foreign_world.hpp"

/// A credential that counts once, whatever becomes of the request that has it.
BOOST_AUTO_TEST_SUITE(single_use)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

constexpr store::Statement use_rows{"test_credential_uses", "SELECT " POSTERN_CREDENTIAL_USE_COLUMNS " FROM credential_use ORDER BY enrollment_id"};

std::string documents_with_devices() {
    return std::string(standard_documents) + R"(
[[endpoint]]
name = "phones"
protocol = "scep"
ra = "builtin"
profiles = ["server"]

[[account]]
name = "devices"
endpoint = "phones"
organization = "acme"
method = "access_code"
names = ["corp.example", ".corp.example"]
secret = {generate = true}
)";
}

struct Devices : World {
    explicit Devices(const std::string& engine) : World(false, store_of(engine)) {
        static_cast<void>(apply(documents_with_devices()).value());
        catalog_endpoint = catalog.current()->endpoint(ra::Protocol::scep, "phones")->id;
        devices = account("devices");
    }
    /// A device's message with that transaction, which holds the one credential there is.
    ra::EnrollmentRequest message(const crypto::PrivateKey& key, const std::string& transaction) {
        ra::EnrollmentRequest r;
        r.id = random.request_id();
        r.via = ra::Protocol::scep;
        r.endpoint = catalog_endpoint;
        r.account = devices;
        r.requester = r.attempt = transaction;
        r.repeated_for = 1h;
        r.evidence.push_back(ra::Evidence::of(ra::Evidence::Kind::challenge, "code", clock.now()));
        std::vector<crypto::GeneralName> names;
        names.emplace_back(crypto::GeneralNameType::dns, "phone.corp.example");
        r.csr = crypto::Csr::parse(crypto::make_csr(key, {}, names)).value();
        r.single_use.emplace(core::Bytes(32, 0x5a), clock.now() + 24h);
        r.origin_kind = "scep_transaction";
        r.origin_id = transaction;
        r.deadline = core::deadline_in(30s);
        return r;
    }
    ra::EnrollmentRequest message(const std::string& transaction = "T1") { return message(leaf_key, transaction); }
    std::string states() {
        std::string out;
        for (const auto& row : read(use_rows)) out += (out.empty() ? "" : " ") + store::CredentialUseRow::from(row).state;
        return out;
    }
    void check_used(ra::EnrollmentRequest r, std::string_view part) {
        const auto id = r.id.get();
        const auto outcome = submit(std::move(r));
        BOOST_TEST_REQUIRE(!outcome.has_value());
        check_problem(outcome.error(), ProblemKind::forbidden, "challenge.single_use", part);
        const auto refusals = audits("enrollment.refused");
        BOOST_TEST_REQUIRE(!refusals.empty());
        BOOST_TEST((refusals.back().text(2) == "challenge.single_use" && refusals.back().text(8) == id));
        BOOST_TEST(contains(refusals.back().text(3), "challenge.single_use"));  // in the trace too
    }
    /// Somebody else with the credential, withdrawn or as it is. How many refusals are recorded by then.
    std::size_t ask_with_old(bool withdrawn, std::string source) {
        auto r = message(other_key, "T2");
        r.source = std::move(source);
        if (withdrawn) r.binding.emplace().ended = "the challenge was withdrawn";
        BOOST_TEST(!submit(std::move(r)).has_value());
        return audits("enrollment.refused").size();
    }
    double reused() {
        return metric("postern_alarms_total", "alarm=\"challenge_reused\"");
    }
    double metric(std::string_view name, std::string_view label) {
        const auto text = metrics.scrape();
        const auto at = text.find(std::string(name) + "{" + std::string(label) + "} ");
        return at == text.npos ? -1 : std::stod(text.substr(text.find("} ", at) + 2));
    }
    crypto::PrivateKey other_key = crypto::PrivateKey::generate(crypto::KeySpec());
    core::EndpointId catalog_endpoint;
    core::AccountId devices;
};

}  // namespace

BOOST_DATA_TEST_CASE(it_is_consumed_with_the_certificate_and_another_key_raises_an_alarm, engines(), engine) {
    Devices w(engine);
    const auto issued = std::get<ra::IssuedCertificate>(w.submit(w.message()).value());
    BOOST_TEST(w.states() == "consumed");
    const auto use = store::CredentialUseRow::from(w.read(use_rows).at(0));
    BOOST_TEST((use.enrollment == issued.enrollment && use.endpoint == w.catalog_endpoint && use.kept_until == w.clock.now() + 24h));
    BOOST_TEST((use.spki_sha256 == w.certificates().at(0).spki_sha256));

    w.check_used(w.message(w.other_key, "T1"), "by another key");
    BOOST_TEST(w.reused() == 1);
    w.check_used(w.message(w.other_key, "T2"), "by another key");
    BOOST_TEST(w.reused() == 2);
    w.check_used(w.message("T3"), "by the same key");
    BOOST_TEST(w.reused() == 2);
    BOOST_TEST((w.certificates().size() == 1U && w.ca.asked == 1));
}

BOOST_DATA_TEST_CASE(whoever_has_one_that_is_used_or_over_leaves_so_many_rows, engines(), engine) {
    constexpr int most = ra::Refusals::of_credentials.of_source;
    Devices w(engine);
    std::size_t rows = 0;
    // As long as it is good, whoever has it is somebody.
    for (int i = 0; i < 2 * most; ++i) {
        auto r = w.message();
        r.source = "192.0.2.1";
        r.profile = "none-such";
        BOOST_TEST(!w.submit(std::move(r)).has_value());
    }
    const auto known = w.audits("enrollment.refused").size();
    BOOST_TEST(known == std::size_t(2 * most));
    BOOST_TEST(w.submit(w.message()).has_value());
    for (int i = 0; i < 2 * most; ++i) rows = w.ask_with_old(i % 2 == 0, "192.0.2.1");
    BOOST_TEST(rows == known + most);
    BOOST_TEST(w.ask_with_old(false, "192.0.2.2") == known + most + 1);  // of another source still
    w.clock.advance(ra::Refusals::of_credentials.source_again);
    BOOST_TEST(w.ask_with_old(true, "192.0.2.1") == known + most + 2);
    BOOST_TEST(contains(w.audits("enrollment.refused").back().text(3), "\"not_recorded_before\":" + std::to_string(most)));
}

BOOST_DATA_TEST_CASE(a_lost_answer_is_repeated_for_an_hour_and_while_it_stands, engines(), engine) {
    Devices w(engine);
    const auto issued = std::get<ra::IssuedCertificate>(w.submit(w.message()).value());
    w.clock.advance(59min);
    BOOST_TEST((std::get<ra::IssuedCertificate>(w.submit(w.message()).value()).der == issued.der));
    w.clock.advance(2min);
    w.check_used(w.message(), "by the same key");
    BOOST_TEST(w.certificates().size() == 1U);
}

BOOST_DATA_TEST_CASE(a_revoked_certificate_is_not_repeated_and_gives_nothing_back, engines(), engine) {
    Devices w(engine);
    const auto issued = std::get<ra::IssuedCertificate>(w.submit(w.message()).value());
    const auto row = w.certificates().at(0);
    w.run(w.revocation.revoke(row, 4, ra::Actor("test", "test"), core::RequestId("revokerequest000"), core::deadline_in(5s))).value();
    w.check_used(w.message(), "by the same key");
    BOOST_TEST(w.states() == "consumed");
}

BOOST_DATA_TEST_CASE(a_request_that_ends_without_a_certificate_gives_it_back, engines(), engine) {
    for (const auto mode : {Mode::unavailable, Mode::internal}) {
        Devices w(engine);
        w.ca.mode = mode;
        BOOST_TEST(!w.submit(w.message()).has_value());
        BOOST_TEST(w.states().empty());
        w.ca.mode = Mode::ok;
        BOOST_TEST(w.submit(w.message(w.other_key, "T9")).has_value());
        BOOST_TEST(w.states() == "consumed");
    }
}

BOOST_DATA_TEST_CASE(a_refusal_before_the_intent_takes_nothing, engines(), engine) {
    Devices w(engine);
    auto elsewhere = w.message();
    std::vector<crypto::GeneralName> names;
    names.emplace_back(crypto::GeneralNameType::dns, "another.example");
    elsewhere.csr = crypto::Csr::parse(crypto::make_csr(w.leaf_key, {}, names)).value();
    BOOST_TEST(!w.submit(std::move(elsewhere)).has_value());
    BOOST_TEST(w.states().empty());
    BOOST_TEST(w.submit(w.message()).has_value());
}

BOOST_DATA_TEST_CASE(an_answer_that_nobody_trusts_keeps_it_until_an_officer_decides, engines(), engine) {
    Devices w(engine);
    w.ca.mode = Mode::other_content;
    BOOST_TEST(!w.submit(w.message()).has_value());
    BOOST_TEST(w.states() == "reserved");  // a certificate may exist
    w.check_used(w.message(w.other_key, "T2"), "by another key");
    const auto id = w.enrollments().at(0).id;
    ra::Resolution nothing;
    nothing.why = "the CA's log has no such serial";
    w.run(w.enrollment.resolve(id, nothing, administrator(), core::RequestId("resolverequest00"))).value();
    BOOST_TEST(w.states().empty());
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.submit(w.message()).has_value());
}

BOOST_DATA_TEST_CASE(what_a_crash_left_is_settled_by_the_enrollment, engines(), engine) {
    for (const bool allowed : {true, false}) {
        Devices w(engine);
        w.ca.mode = Mode::crash;
        BOOST_CHECK_THROW(w.submit(w.message()), std::runtime_error);
        BOOST_TEST(w.states() == "reserved");
        w.ca.mode = allowed ? Mode::ok : Mode::refuse;
        BOOST_TEST(w.run(w.sweeper.start()) == 1U);
        BOOST_TEST(w.states() == (allowed ? "consumed" : ""));
        BOOST_TEST(w.certificates().size() == (allowed ? 1U : 0U));
        w.ca.mode = Mode::ok;
        if (allowed)
            w.check_used(w.message(w.other_key, "T2"), "by another key");
        else
            BOOST_TEST(w.submit(w.message(w.other_key, "T2")).has_value());
        BOOST_TEST(w.certificates().size() == 1U);
    }
}

/// S07, A19: two nodes, 64 devices.
BOOST_DATA_TEST_CASE(of_64_keys_with_one_credential_exactly_one_has_a_certificate, engines(), engine) {
    Devices w(engine);
    ra::Enrollment second(w.enrollment_deps());
    std::vector<crypto::PrivateKey> keys;
    for (int i = 0; i < 64; ++i) keys.push_back(crypto::PrivateKey::generate(crypto::KeySpec()));
    boost::asio::io_context io;
    int issued = 0, refused = 0, others = 0;
    for (int i = 0; i < 64; ++i) {
        auto& node = i % 2 == 0 ? w.enrollment : second;
        boost::asio::co_spawn(io, node.submit(w.message(keys.at(static_cast<std::size_t>(i)), "T" + std::to_string(i))),
                              [&](std::exception_ptr e, core::Result<ra::EnrollmentOutcome> r) {
                                  if (!e && r && std::holds_alternative<ra::IssuedCertificate>(*r)) ++issued;
                                  else if (!e && !r && r.error().check == "challenge.single_use") ++refused;
                                  else ++others;
                              });
    }
    io.run();
    BOOST_TEST(issued == 1);
    BOOST_TEST(refused == 63);
    BOOST_TEST(others == 0);
    BOOST_TEST((w.certificates().size() == 1U && w.ca.asked == 1));
    BOOST_TEST(w.states() == "consumed");
}

BOOST_DATA_TEST_CASE(a_use_is_forgotten_once_its_credential_is_worth_nothing, engines(), engine) {
    Devices w(engine);
    BOOST_TEST(w.submit(w.message()).has_value());
    w.run(w.sweeper.round());
    BOOST_TEST(w.states() == "consumed");
    w.clock.advance(25h);
    w.run(w.sweeper.round());
    BOOST_TEST(w.states().empty());
}

BOOST_AUTO_TEST_SUITE_END()
