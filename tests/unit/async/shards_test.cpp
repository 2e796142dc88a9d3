#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"

using namespace postern::core;

BOOST_AUTO_TEST_SUITE(async_shards)

BOOST_AUTO_TEST_CASE(at_least_one_core_is_usable) {
    BOOST_TEST(usable_cores() >= 1U);
}

BOOST_AUTO_TEST_CASE(join_runs_what_was_posted_on_every_shard) {
    Shards shards(3);
    std::atomic<int> ran = 0;
    for (int i = 0; i < 30; ++i) boost::asio::post(shards.next(), [&ran] { ++ran; });
    shards.start();
    shards.join();
    BOOST_TEST(ran == 30);
}

BOOST_AUTO_TEST_CASE(next_goes_round) {
    Shards shards(2);
    auto* first = &shards.next();
    auto* second = &shards.next();
    BOOST_TEST(first != second);
    BOOST_TEST(&shards.next() == first);
}

BOOST_AUTO_TEST_CASE(stop_does_not_wait_for_timers) {
    Shards shards(1);
    boost::asio::steady_timer timer(shards.at(0), std::chrono::hours(1));
    timer.async_wait([](const boost::system::error_code&) {});
    shards.start();
    shards.stop();
    BOOST_TEST(shards.at(0).stopped());
}

BOOST_AUTO_TEST_SUITE_END()
