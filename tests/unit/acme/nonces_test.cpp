#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>

#include "acme/nonces.hpp"
#include "core/async/shards.hpp"
#include "core/crypto/system_random.hpp"

using namespace postern;

namespace {
struct Fixture {
    crypto::SystemRandom random;
    acme::MemoryNonces nonces{random};
    std::string issue() { return core::run_to_end(nonces.issue()); }
    bool redeem(std::string nonce) { return core::run_to_end(nonces.redeem(std::move(nonce))); }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_nonces, Fixture)

BOOST_AUTO_TEST_CASE(a_nonce_is_good_once) {
    const auto nonce = issue();
    BOOST_TEST(redeem(nonce));
    BOOST_TEST(!redeem(nonce));
}

BOOST_AUTO_TEST_CASE(nonces_are_base64url_and_never_alike) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto nonce = issue();
        BOOST_TEST(nonce.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == nonce.npos);
        BOOST_TEST(seen.insert(nonce).second);
    }
}

BOOST_AUTO_TEST_CASE(what_was_never_issued_is_refused) {
    BOOST_TEST(!redeem(""));
    BOOST_TEST(!redeem("AAAA"));
    BOOST_TEST(!redeem("not base64!"));
    BOOST_TEST(!redeem(std::string(10'000, 'A')));
    auto changed = issue();
    changed[5] = changed[5] == 'A' ? 'B' : 'A';
    BOOST_TEST(!redeem(changed));
    acme::MemoryNonces other(random);
    BOOST_TEST(!redeem(core::run_to_end(other.issue())));
}

BOOST_AUTO_TEST_CASE(nonces_older_than_the_window_are_refused_and_newer_ones_stay) {
    acme::MemoryNonces small(random, 1024);
    const auto oldest = core::run_to_end(small.issue());
    const auto used = core::run_to_end(small.issue());
    BOOST_TEST(core::run_to_end(small.redeem(used)));
    std::string newest;
    for (int i = 0; i < 1024; ++i) newest = core::run_to_end(small.issue());
    BOOST_TEST(!core::run_to_end(small.redeem(oldest)));
    BOOST_TEST(!core::run_to_end(small.redeem(used)));
    BOOST_TEST(core::run_to_end(small.redeem(newest)));
}

BOOST_AUTO_TEST_CASE(of_64_at_once_one_redeems) {
    const auto nonce = issue();
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i)
        threads.emplace_back([&] {
            if (redeem(nonce)) ++accepted;
        });
    for (auto& thread : threads) thread.join();
    BOOST_TEST(accepted == 1);
}

BOOST_AUTO_TEST_CASE(a_window_that_the_shards_cannot_share_is_a_mistake) {
    BOOST_CHECK_THROW(acme::MemoryNonces(random, 1000), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
