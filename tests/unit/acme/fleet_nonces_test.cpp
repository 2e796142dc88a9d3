#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>

#include "acme/fleet_nonces.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"
#include "store/sqlite/open.hpp"
#include "store/tables/nonce.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

namespace {

/// Two nodes on one database.
struct Fleet {
    Fleet() : db(store::open_sqlite((folder.path / "postern.db").string(), clock, metrics)) {
        core::run_to_end(one.refresh());
        core::run_to_end(two.refresh());
    }
    ~Fleet() { db->close(); }
    acme::FleetNonces::Deps deps(std::string node) { return {*db, sealer, random, clock, std::move(node)}; }
    static std::string issue(acme::Nonces& nonces) { return core::run_to_end(nonces.issue()); }
    static bool redeem(acme::Nonces& nonces, std::string nonce) { return core::run_to_end(nonces.redeem(std::move(nonce))); }
    std::int64_t remembered() {
        return core::run_to_end(db->read(store::Statement{"test_used", "SELECT count(*) FROM nonce_used"}, {})).at(0).integer(0);
    }
    /// As a crash of PostgreSQL does to tables that are not logged.
    void crash() {
        store::Batch batch;
        batch.add(store::nonce_epoch_end, {});
        batch.add(forget_all, {}, store::Expect::any);
        BOOST_TEST(core::run_to_end(db->write(std::move(batch))).has_value());
    }
    static constexpr store::Statement forget_all{"test_forget", "DELETE FROM nonce_used"};
    TestFolder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    crypto::SystemRandom random;
    crypto::Sealer sealer{core::SecretBytes(core::Bytes(32, 7)), random};
    std::unique_ptr<store::Database> db;
    acme::FleetNonces one{deps("one")}, two{deps("two")};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_fleet_nonces, Fleet)

BOOST_AUTO_TEST_CASE(either_node_accepts_what_either_issued_and_once) {
    for (auto* issuer : {&one, &two})
        for (auto* first : {&one, &two}) {
            const auto nonce = issue(*issuer);
            BOOST_TEST(redeem(*first, nonce));
            BOOST_TEST((!redeem(one, nonce) && !redeem(two, nonce)));
        }
}

BOOST_AUTO_TEST_CASE(issuing_writes_nothing_and_no_two_are_alike) {
    std::set<std::string> seen;
    for (int i = 0; i < 500; ++i)
        for (auto* node : {&one, &two}) {
            const auto nonce = issue(*node);
            BOOST_TEST(nonce.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == nonce.npos);
            BOOST_TEST(seen.insert(nonce).second);
        }
    BOOST_TEST(remembered() == 0);
}

BOOST_AUTO_TEST_CASE(inventions_of_strangers_never_reach_the_database) {
    auto changed = issue(one);
    changed[20] = changed[20] == 'A' ? 'B' : 'A';
    const crypto::Sealer other_master(core::SecretBytes(core::Bytes(32, 8)), random);
    acme::FleetNonces foreign({*db, other_master, random, clock, "three"});
    core::run_to_end(foreign.refresh());
    const auto strange = issue(foreign);
    db->close();  // whoever asks it throws
    for (const auto& nonce : {std::string(), std::string("AAAA"), std::string("not base64!"), std::string(10'000, 'A'), changed, strange})
        BOOST_TEST(!redeem(one, nonce));
    BOOST_CHECK_THROW(redeem(one, issue(one)), store::StoreUnavailable);
}

BOOST_AUTO_TEST_CASE(a_crash_of_the_database_ends_the_epoch_for_both) {
    const auto used = issue(one), unused = issue(two);
    BOOST_TEST(redeem(two, used));
    crash();
    // Nobody has noticed yet, and still the used one is not good again.
    BOOST_TEST((!redeem(one, used) && !redeem(two, unused)));
    // What comes with the refusal is good, at once, on the node that refused; and at the other.
    const auto fresh = issue(one);
    BOOST_TEST((redeem(two, fresh) && !redeem(one, fresh)));
    BOOST_TEST((!redeem(one, unused) && !redeem(two, used)));
}

BOOST_AUTO_TEST_CASE(old_nonces_are_refused_and_forgotten_a_round_later) {
    const auto used = issue(one), unused = issue(one);
    BOOST_TEST(redeem(two, used));
    BOOST_TEST((core::run_to_end(one.forget()) == 0U && remembered() == 1));
    clock.advance(acme::FleetNonces::lifetime);
    BOOST_TEST(redeem(two, unused));
    clock.advance(1s);
    const auto late = issue(one);
    clock.advance(acme::FleetNonces::lifetime + 1s);
    BOOST_TEST(!redeem(two, late));
    BOOST_TEST(core::run_to_end(two.forget()) == 0U);  // the first one holds the lease
    clock.advance(20s);
    // What the other one refused a moment ago may still be met by a statement that began before it did: not in the first round.
    BOOST_TEST((core::run_to_end(two.forget()) == 0U && remembered() == 2));
    BOOST_TEST(core::run_to_end(two.forget()) > 0U);  // what the round before saw refused already
    static_cast<void>(core::run_to_end(two.forget()));
    BOOST_TEST(remembered() == 0);
    BOOST_TEST((!redeem(one, used) && !redeem(one, unused)));
}

BOOST_AUTO_TEST_CASE(many_of_one_second_are_forgotten_by_portions) {
    static constexpr store::Statement many{
        "test_many", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO nonce_used SELECT 1000, CAST(printf('%08d', i) AS BLOB) FROM n"};
    store::Batch batch;
    batch.add(many, {}, store::Expect::any);
    BOOST_TEST(core::run_to_end(db->write(std::move(batch))).has_value());
    // Refused in the first round, seen to be in the second, gone in the third.
    BOOST_TEST((core::run_to_end(one.forget()) == 0U && core::run_to_end(one.forget()) == 0U && core::run_to_end(one.forget()) == 3U));
    BOOST_TEST(remembered() == 0);
}

BOOST_AUTO_TEST_CASE(a_node_whose_clock_is_behind_accepts_nothing_that_was_forgotten) {
    core::FakeClock behind{clock.now()};
    acme::FleetNonces late({*db, sealer, random, behind, "late"});
    core::run_to_end(late.refresh());
    const auto used = issue(late);
    BOOST_TEST(redeem(one, used));
    clock.advance(1h);
    for (int i = 0; i < 4; ++i) static_cast<void>(core::run_to_end(one.forget()));
    BOOST_TEST(remembered() == 0);
    BOOST_TEST(!redeem(late, used));
}

BOOST_AUTO_TEST_CASE(a_node_whose_clock_was_ahead_leaves_no_epoch_that_refuses_all) {
    core::FakeClock ahead{clock.now() + 24h};
    acme::FleetNonces early({*db, sealer, random, ahead, "early"});
    core::run_to_end(early.refresh());
    static_cast<void>(core::run_to_end(early.forget()));
    const auto used = issue(one);
    BOOST_TEST(!redeem(one, used));
    // What comes with the refusal is good; the other node learns of it within its second.
    BOOST_TEST(redeem(two, issue(one)));
    core::run_to_end(two.refresh());
    BOOST_TEST(redeem(one, issue(two)));
    BOOST_TEST(!redeem(one, used));
}

BOOST_AUTO_TEST_CASE(a_clock_in_doubt_ends_no_epoch_and_neither_does_one_a_little_ahead) {
    const auto epoch = [&] { return core::run_to_end(store::read_one(*db, store::nonce_epoch_read, store::values()))->integer(0); };
    const auto before = epoch();
    core::FakeClock ahead{clock.now() + acme::FleetNonces::lifetime + acme::FleetNonces::tolerance};
    acme::FleetNonces early({*db, sealer, random, ahead, "early"});
    core::run_to_end(early.refresh());
    static_cast<void>(core::run_to_end(early.forget()));
    core::run_to_end(one.refresh());
    BOOST_TEST(epoch() == before);
    ahead.advance(1h);
    static_cast<void>(core::run_to_end(early.forget()));
    auto doubting = deps("doubting");
    doubting.clock_agrees = [] { return false; };
    acme::FleetNonces doubter(std::move(doubting));
    core::run_to_end(doubter.refresh());
    BOOST_TEST(epoch() == before);
    core::run_to_end(one.refresh());
    BOOST_TEST(epoch() != before);
}

BOOST_AUTO_TEST_CASE(of_64_at_once_one_redeems_it) {
    const auto nonce = issue(one);
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i)
        threads.emplace_back([&, i] {
            if (redeem(i % 2 == 0 ? one : two, nonce)) ++accepted;
        });
    for (auto& thread : threads) thread.join();
    BOOST_TEST(accepted == 1);
}

BOOST_AUTO_TEST_SUITE_END()
