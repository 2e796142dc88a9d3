#include "core/crypto/cms_content.hpp"
#include "core/crypto/cms_signed.hpp"
#include "store/tables/authority.hpp"
#include "store/tables/succession.hpp"
#include "tests/unit/ca/support.hpp"

BOOST_AUTO_TEST_SUITE(ca_succession)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr store::Statement forget_successions{"forget_successions", "DELETE FROM succession"};

struct Rollover : World {
    std::unique_ptr<ca::BuiltinCa> ca = started();

    core::Result<ca::Successor> prepare(std::chrono::milliseconds in, ca::BuiltinCa* at = nullptr) {
        std::function<void(store::Batch&, const ca::Rollover&)> nothing_more = [](store::Batch&, const ca::Rollover&) {};
        auto made = core::run_to_end((at ? at : ca.get())->prepare_successor(clock.now() + in, ca::NewRoot::no, std::move(nothing_more)));
        if (!made) return made.error();
        BOOST_TEST(made->new_root.empty());
        return std::move(made->successor);
    }
    core::Result<std::string> withdraw(ca::BuiltinCa* at = nullptr) {
        std::function<void(store::Batch&, const ca::Rollover&)> nothing_more = [](store::Batch&, const ca::Rollover&) {};
        auto gone = core::run_to_end((at ? at : ca.get())->withdraw_successor(std::move(nothing_more)));
        if (!gone) return gone.error();
        return std::move(gone->successor.key_id);
    }
    /// The issuer of a certificate that is asked of `wanted`; empty: of nobody in particular.
    std::string issued_by(const std::string& wanted = {}, ca::BuiltinCa* at = nullptr) {
        auto content = content_at(clock.now(), leaf_key());
        content.issuer_key_id = wanted;
        const auto leaf = issue(at ? *at : *ca, content);
        return core::hex(crypto::Certificate::parse(leaf).value().authority_key_id());
    }
    std::vector<std::string> roles() const {
        std::vector<std::string> out;
        for (const auto& each : ca->known()) out.push_back(each.role);
        return out;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_successor_issues_to_who_asks_for_it_and_from_its_day_on_to_all, Rollover) {
    const auto first = ca->issuer();
    BOOST_TEST(!ca->successor().has_value());
    const auto made = prepare(24h * 30).value();
    BOOST_TEST((roles() == std::vector<std::string>{"root", "issuing", "successor"}));
    BOOST_TEST(ca->successor()->key_id == made.key_id);
    BOOST_TEST((ca->successor()->takes_over == clock.now() + 24h * 30));
    BOOST_TEST(ca->issuer() == first);
    BOOST_TEST(issued_by() == first);
    BOOST_TEST(issued_by(made.key_id) == made.key_id);
    BOOST_TEST(issued_by("00") == first);

    clock.advance(24h * 30);
    BOOST_TEST(ca->issuer() == made.key_id);
    BOOST_TEST(!ca->successor().has_value());
    BOOST_TEST((roles() == std::vector<std::string>{"root", "former", "issuing"}));
    BOOST_TEST(issued_by() == made.key_id);
    BOOST_TEST(issued_by(first) == made.key_id, "a former one issues no more, whoever asks");
    // What it issued is still its own.
    BOOST_TEST(ca->chain(first).size() == 1U);
    BOOST_TEST(ca->crl(first, core::Bytes{1}).has_value());
}

BOOST_FIXTURE_TEST_CASE(its_certificate_is_a_ca_s_under_the_same_root, Rollover) {
    const auto made = prepare(24h * 30).value();
    BOOST_TEST_REQUIRE(made.chain.size() == 2U);
    BOOST_TEST((made.chain[1] == ca->root_der()));
    const auto root = write_file(folder.file("r.pem"), crypto::to_pem("CERTIFICATE", made.chain[1]));
    const auto next = write_file(folder.file("n.pem"), crypto::to_pem("CERTIFICATE", made.chain[0]));
    const auto leaf_der = [&] {
        auto content = content_at(clock.now(), leaf_key());
        content.issuer_key_id = made.key_id;
        return issue(*ca, content);
    }();
    const auto leaf = write_file(folder.file("l.pem"), crypto::to_pem("CERTIFICATE", leaf_der));
    const auto verified = run("openssl verify -x509_strict" + at_time() + "-CAfile " + root + " -untrusted " + next + " " + leaf);
    BOOST_TEST(verified.ok, verified.text);
    const auto shown = run("openssl x509 -noout -text -in " + next).text;
    BOOST_TEST(shown.find("Postern Issuing CA 2") != std::string::npos);
    BOOST_TEST(shown.find("pathlen:0") != std::string::npos);
    // Beyond its day it lasts as long as an issuing CA does.
    const auto certificate = crypto::Certificate::parse(made.chain[0]).value();
    BOOST_TEST((certificate.not_after() == clock.now() + 24h * 30 + config().issuing_lifetime - 1s));
}

BOOST_FIXTURE_TEST_CASE(what_is_no_rollover_is_refused, Rollover) {
    const auto kind = [&](std::chrono::milliseconds in) { return prepare(in).error().kind; };
    BOOST_TEST((kind(0ms) == ProblemKind::malformed));
    BOOST_TEST((kind(24h * 366 * 20) == ProblemKind::malformed));
    // The issuing CA of today ends before the root does.
    const auto gap = prepare(config().issuing_lifetime + 24h).error();
    BOOST_TEST((gap.kind == ProblemKind::malformed && gap.detail.find("nobody would issue in between") != std::string::npos), gap.detail);
    BOOST_TEST(prepare(24h).has_value());
    BOOST_TEST((kind(24h * 2) == ProblemKind::conflict));
    // Another node that has not heard of it yet.
    BOOST_TEST(read(store::succession_all).size() == 1U);
    clock.advance(24h);
    BOOST_TEST(prepare(24h).has_value());
    BOOST_TEST((roles() == std::vector<std::string>{"root", "former", "issuing", "successor"}));
}

BOOST_FIXTURE_TEST_CASE(of_two_nodes_one_prepares_and_the_other_follows, Rollover) {
    auto shared = config();
    const auto other = open(shared);
    const auto made = prepare(24h * 30).value();
    BOOST_TEST((prepare(24h * 60, other.get()).error().kind == ProblemKind::conflict));
    BOOST_TEST(!other->successor().has_value());
    other->start();
    for (int i = 0; i < 600 && !other->successor(); ++i) {
        std::this_thread::sleep_for(20ms);
        core::run_to_end(other->follow());
    }
    BOOST_TEST_REQUIRE(other->successor().has_value());
    BOOST_TEST(issued_by(made.key_id, other.get()) == made.key_id);
    // A restart finds it, too.
    const auto third = open(shared);
    BOOST_TEST(third->successor()->key_id == made.key_id);
}

BOOST_FIXTURE_TEST_CASE(one_that_is_withdrawn_never_takes_over, Rollover) {
    const auto first = ca->issuer();
    BOOST_TEST((withdraw().error().kind == ProblemKind::not_found));
    const auto made = prepare(24h * 30).value();
    const auto early = issued_by(made.key_id);
    BOOST_TEST(withdraw().value() == made.key_id);
    BOOST_TEST((withdraw().error().kind == ProblemKind::not_found));
    BOOST_TEST((roles() == std::vector<std::string>{"root", "issuing", "withdrawn"}));
    BOOST_TEST(!ca->successor().has_value());
    BOOST_TEST(issued_by(made.key_id) == first, "it issues no more, whoever asks");
    clock.advance(24h * 31);
    BOOST_TEST(ca->issuer() == first);
    // What it issued is listed by its own CRL.
    BOOST_TEST(early == made.key_id);
    BOOST_TEST(ca->chain(made.key_id).size() == 1U);
    // The next one has a name of its own, and outlasts a restart.
    const auto next = prepare(24h * 30).value();
    BOOST_TEST((roles() == std::vector<std::string>{"root", "issuing", "successor", "withdrawn"}));
    BOOST_TEST(crypto::Certificate::parse(next.chain[0]).value().subject().to_text().find("Issuing CA 3") != std::string::npos);
    const auto again = open(config());
    BOOST_TEST(again->successor()->key_id == next.key_id);
    clock.advance(24h * 30);
    BOOST_TEST(again->issuer() == next.key_id);
    BOOST_TEST((withdraw().error().kind == ProblemKind::not_found), "it took over");
}

BOOST_FIXTURE_TEST_CASE(what_one_node_withdraws_no_node_offers, Rollover) {
    auto shared = config();
    const auto made = prepare(24h * 30).value();
    const auto other = open(shared);
    BOOST_TEST(other->successor()->key_id == made.key_id);
    core::run_to_end(other->follow());
    BOOST_TEST(other->successor().has_value());
    BOOST_TEST(withdraw().has_value());
    // It has not heard of it yet: the store knows better.
    BOOST_TEST((withdraw(other.get()).error().kind == ProblemKind::conflict));
    core::run_to_end(other->follow());
    BOOST_TEST(!other->successor().has_value());
    clock.advance(24h * 31);
    BOOST_TEST(other->issuer() == ca->issuer());
}

BOOST_FIXTURE_TEST_CASE(a_withdrawal_that_a_node_missed_until_the_day_counts_all_the_same, Rollover) {
    const auto first = ca->issuer();
    const auto other = open();
    const auto made = prepare(24h * 30).value();
    core::run_to_end(other->follow());
    BOOST_TEST(withdraw().has_value());
    // The other one is apart from the store until the day has come by its clock.
    clock.advance(24h * 31);
    BOOST_TEST(other->issuer() == made.key_id);
    // The store takes no intent of it (enrollment_steps.cpp), so that nothing is signed before it has looked.
    const auto stands = [&](const std::string& key_id) { return write(store::succession_stands, store::values(key_id, store::never_takes_over)).has_value(); };
    BOOST_TEST((!stands(other->issuer()) && stands(first)));
    core::run_to_end(other->follow());
    BOOST_TEST(other->issuer() == first);
    BOOST_TEST((other->known().back().role == "withdrawn"));
    BOOST_TEST(issued_by(made.key_id, other.get()) == first);
}

BOOST_FIXTURE_TEST_CASE(what_may_have_taken_over_by_another_node_s_clock_is_withdrawn_no_more, Rollover) {
    // A node whose clock is ahead issues by it already.
    const auto made = prepare(24h * 30).value();
    clock.advance(24h * 30 - 10min);
    const auto refused = withdraw().error();
    BOOST_TEST((refused.kind == ProblemKind::conflict));
    check_refused(refused, "takes over at 2027-02-14T08:00:00Z, within 10 minutes");
    check_refused(refused, "Let it take over, and have the next one succeed it: `postern ca rollover --at`");
    BOOST_TEST(ca->successor()->key_id == made.key_id);
    clock.step(-1s);
    BOOST_TEST(withdraw().value() == made.key_id);
}

BOOST_FIXTURE_TEST_CASE(today_s_ca_signs_what_is_said_of_it, Rollover) {
    const auto made = prepare(24h * 30).value();
    auto content = core::to_bytes(core::as_bytes("next"));
    const auto signed_data = core::run_to_end(ca->sign_as_issuer(std::move(content), std::string(crypto::oid_cms_data))).value();
    const auto read = crypto::CmsSignedData::parse(signed_data);
    BOOST_TEST_REQUIRE(read.has_value());
    const auto by = read->verify();
    BOOST_TEST_REQUIRE(by.has_value());
    BOOST_TEST(core::hex(by->certificate.subject_key_id()) == ca->issuer());
    static_cast<void>(made);
}

BOOST_AUTO_TEST_CASE(an_ed25519_ca_cannot_say_it_by_cms) {
    World world;
    auto config = world.config();
    config.issuing_key = *crypto::KeySpec::from("ed25519");
    const auto ca = world.open(config);
    const auto refused = core::run_to_end(ca->sign_as_issuer(core::Bytes(3, 1), std::string(crypto::oid_cms_data)));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == ProblemKind::unsupported));
}

BOOST_FIXTURE_TEST_CASE(several_issuing_cas_without_a_date_stop_the_start, Rollover) {
    static_cast<void>(prepare(24h * 30).value());
    BOOST_TEST(write(forget_successions, {}).has_value());
    BOOST_CHECK_EXCEPTION(open(), std::runtime_error, [](const std::runtime_error& e) {
        return std::string(e.what()).find("several issuing CAs and not when each takes over") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
