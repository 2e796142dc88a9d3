#include <atomic>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/async/run_on.hpp"
#include "core/async/shards.hpp"

using namespace postern::core;

namespace {

/// A part of a context, as a socket's registration is.
class Part : public boost::asio::execution_context::service {
public:
    static inline boost::asio::execution_context::id id;
    Part(boost::asio::execution_context& context, bool& there) : service(context), there_(there) { there_ = true; }
    ~Part() override { there_ = false; }

private:
    void shutdown() override {}
    bool& there_;
};

/// What it sees when it goes.
class Owner {
public:
    Owner(const bool& there, bool& seen) : there_(there), seen_(seen) {}
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() { seen_ = there_; }

private:
    const bool& there_;
    bool& seen_;
};

Task<int> number(int of) {
    co_return of;
}

Task<int> throwing() {
    throw std::runtime_error("as planned");
    co_return 0;
}

Task<int> number_made_inside() {
    co_return run_to_end(number(7));
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(what_waits_on_one_shard_goes_before_any_other_shard_does) {
    bool there = false;
    bool seen = false;
    {
        Shards shards(2);
        boost::asio::make_service<Part>(shards.at(0), there);
        boost::asio::post(shards.at(1), [owner = std::make_unique<Owner>(there, seen)] {});
        BOOST_TEST(there);
    }
    BOOST_TEST(!there);
    BOOST_TEST(seen);
}

// The other thread may still be inside the context when the result is here: AddressSanitizer and ThreadSanitizer see one that went.
BOOST_AUTO_TEST_CASE(run_to_end_gets_what_another_executor_made) {
    Shards shards(2);
    shards.start();
    for (int i = 0; i < 5000; ++i) BOOST_REQUIRE(run_to_end(run_on(shards.executor(i % 2), number(i))) == i);
}

BOOST_AUTO_TEST_CASE(run_to_end_may_be_used_inside_itself_and_after_a_failure) {
    BOOST_TEST(run_to_end(number_made_inside()) == 7);
    BOOST_CHECK_THROW(run_to_end(throwing()), std::runtime_error);
    BOOST_TEST(run_to_end(number_made_inside()) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
