#include "ra/predecessor_status.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "core/async/deadline.hpp"
#include "tests/unit/ra/other_ca.hpp"

BOOST_AUTO_TEST_SUITE(ra_predecessor_status)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

struct Status : World {
    Status() {
        apply_standard();
        ra::Predecessors::Order order;
        order.name = "old";
        order.certificates.push_back(old.issue(core::Bytes(8, 0x10), clock.now(), true, old.key, "Old CA").der());
        order.crl_url = "http://ca.example/ca.crl";
        id = run(predecessors.put(std::move(order), administrator(), core::RequestId("r"))).value().row.id;
    }
    core::Result<void> ask() { return run(status.check(id, leaf, core::RequestId("r"), core::deadline_in(10s))); }

    OtherCa old;
    crypto::PrivateKey device = crypto::PrivateKey::generate(crypto::KeySpec());
    core::Bytes serial = core::Bytes(8, 0x21);
    crypto::Certificate leaf = old.issue(serial, clock.now(), false, device, "printer");
    ScriptedOutbound outbound;
    core::CpuPool workers{1, 8};
    ra::Predecessors predecessors{ra::Predecessors::Deps{db, numbers, catalog, clock}};
    ra::PredecessorStatus status{ra::PredecessorStatus::Deps{db, outbound, workers, random, clock, log, metrics}};
    store::PredecessorId id;
};

const std::string unknown = "the predecessor's status is not known";

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_list_is_fetched_each_hour_and_counts_until_its_end, Status) {
    outbound.body = old.crl(clock.now(), 1, {});
    BOOST_TEST(ask().has_value());
    BOOST_TEST((outbound.last.url == "http://ca.example/ca.crl" && outbound.last.plain_allowed && outbound.last.most == ra::PredecessorStatus::most_list_octets));
    BOOST_TEST(ask().has_value());
    BOOST_TEST(outbound.asked == 1);
    clock.advance(61min);
    outbound.body.reset();  // away: the one that is known still counts
    BOOST_TEST(ask().has_value());
    BOOST_TEST(outbound.asked == 2);
    clock.advance(24h);
    check_refused(ask(), ProblemKind::unauthenticated, unknown);
    outbound.body = old.crl(clock.now(), 2, {serial});
    check_refused(ask(), ProblemKind::unauthenticated, "was revoked by predecessor old");
}

BOOST_FIXTURE_TEST_CASE(an_older_list_is_no_news, Status) {
    outbound.body = old.crl(clock.now(), 5, {serial}, 48h);
    check_refused(ask(), ProblemKind::unauthenticated, "was revoked");
    clock.advance(61min);
    outbound.body = old.crl(clock.now() - 30min, 4, {}, 48h);
    check_refused(ask(), ProblemKind::unauthenticated, "was revoked");
    BOOST_TEST(outbound.asked == 2);
}

BOOST_FIXTURE_TEST_CASE(a_predecessor_that_is_away_is_asked_each_minute_and_not_by_each_device, Status) {
    outbound.body = old.crl(clock.now(), 5, {}, 48h);
    BOOST_TEST(ask().has_value());
    clock.advance(61min);
    outbound.body.reset();
    for (int n = 0; n < 5; ++n) BOOST_TEST(ask().has_value());
    BOOST_TEST(outbound.asked == 2);
    clock.advance(61s);
    outbound.body = old.crl(clock.now() - 2h, 4, {}, 48h);  // a mirror that is behind
    for (int n = 0; n < 5; ++n) BOOST_TEST(ask().has_value());
    BOOST_TEST(outbound.asked == 3);
    clock.advance(61s);
    outbound.body = old.crl(clock.now(), 6, {serial}, 48h);
    check_refused(ask(), ProblemKind::unauthenticated, "was revoked");
}

BOOST_FIXTURE_TEST_CASE(what_is_not_known_is_told_from_what_is_refused, Status) {
    const auto verdict = [&] { return run(status.ask(id, leaf, core::RequestId("r"), core::deadline_in(10s))); };
    check_refused(verdict(), ProblemKind::unavailable, unknown);
    outbound.body = old.crl(clock.now(), 1, {});
    BOOST_TEST(!verdict().value().has_value());
    clock.advance(61min);
    outbound.body = old.crl(clock.now(), 2, {serial});
    BOOST_TEST(verdict().value().value() == "the certificate was revoked by predecessor old");
}

BOOST_FIXTURE_TEST_CASE(who_asks_at_the_same_time_waits_for_one_fetch, Status) {
    outbound.body = old.crl(clock.now(), 1, {});
    outbound.pause = 60ms;
    boost::asio::io_context io;
    int good = 0;
    for (int n = 0; n < 8; ++n) {
        boost::asio::co_spawn(
            io, [&]() -> core::Task<void> {
                core::RequestId request("r");
                crypto::Certificate certificate = leaf;
                const auto until = core::deadline_in(20s);
                const auto answer = co_await status.check(id, std::move(certificate), std::move(request), until);
                if (answer) ++good;
            },
            boost::asio::detached);
    }
    io.run();
    BOOST_TEST(good == 8);
    BOOST_TEST(outbound.asked == 1);
}

BOOST_FIXTURE_TEST_CASE(a_list_is_judged, Status) {
    const auto authority = old.issue(core::Bytes(8, 0x10), clock.now(), true, old.key, "Old CA");
    const auto now = clock.now();
    const auto refused = [&](const core::Bytes& der, ProblemKind kind, std::string_view part) { check_refused(ra::read_list(der, authority, now), kind, part); };
    BOOST_TEST(ra::read_list(old.crl(now, 1, {serial}), authority, now).value().lists(serial));
    BOOST_TEST(!ra::read_list(old.crl(now, 1, {serial}), authority, now).value().lists(core::Bytes(8, 0x22)));
    refused(old.crl(now - 25h, 1, {}), ProblemKind::unavailable, "the CRL counted until");
    refused(old.crl(now + 6min, 1, {}), ProblemKind::unavailable, "which is not yet");
    OtherCa same_name;
    refused(same_name.crl(now, 1, {}), ProblemKind::unauthenticated, "not signed by the certificate's issuer");
    OtherCa other;
    other.name.entries[0].value = "Another";
    refused(other.crl(now, 1, {}), ProblemKind::unauthenticated, "another CA's");
    refused(core::to_bytes(core::as_bytes("junk")), ProblemKind::malformed, "cannot be read");
}

BOOST_FIXTURE_TEST_CASE(a_predecessor_that_left_takes_the_right_along, Status) {
    outbound.body = old.crl(clock.now(), 1, {});
    BOOST_TEST(run(predecessors.remove({}, "old", false, administrator(), core::RequestId("r"))).value() == 0);
    check_refused(ask(), ProblemKind::unauthenticated, "no more on record");
    BOOST_TEST(outbound.asked == 0);
    check_refused(run(predecessors.remove({}, "old", false, administrator(), core::RequestId("r"))), ProblemKind::not_found, "there is no predecessor old");
}

BOOST_AUTO_TEST_SUITE_END()
