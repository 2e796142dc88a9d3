#include <atomic>
#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"
#include "core/async/task_group.hpp"

using namespace postern::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Task<void> count_then_sleep(std::atomic<int>& begun, std::atomic<int>& ended, milliseconds pause) {
    ++begun;
    co_await sleep_for(pause);
    ++ended;
}

Task<void> fail(std::string what) {
    co_await sleep_for(milliseconds(1));
    throw std::runtime_error(what);
}

Task<void> sleep_twice(std::atomic<bool>& second) {
    co_await sleep_for(seconds(600));
    co_await sleep_for(milliseconds(1));
    second = true;
}

struct Fixture {
    Fixture() : group([this](std::string_view what) { faults.emplace_back(what); }) { shards.start(); }
    bool drained(milliseconds limit) { return run_to_end(group.drained(deadline_in(limit))); }

    std::vector<std::string> faults;
    Shards shards{2};
    TaskGroup group;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(async_task_group, Fixture)

BOOST_AUTO_TEST_CASE(drained_waits_for_the_last_task_of_every_shard) {
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;
    for (std::size_t i = 0; i < 20; ++i)
        BOOST_TEST(group.spawn(shards.executor(i % 2), count_then_sleep(begun, ended, milliseconds(20))));
    BOOST_TEST(drained(seconds(60)));
    BOOST_TEST(ended == 20);
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(an_empty_group_is_drained_at_once) {
    BOOST_TEST(drained(seconds(600)));
}

BOOST_AUTO_TEST_CASE(drained_gives_up_at_its_deadline_and_cancel_ends_what_is_left) {
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;
    for (std::size_t i = 0; i < 4; ++i) group.spawn(shards.executor(i % 2), count_then_sleep(begun, ended, seconds(600)));
    BOOST_TEST(!drained(milliseconds(5)));
    BOOST_TEST(group.size() == 4U);
    group.cancel();
    BOOST_TEST(drained(seconds(60)));
    BOOST_TEST(faults.empty());
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_does_not_begin_another_wait_and_is_no_fault) {
    std::atomic<bool> second = false;
    group.spawn(shards.executor(0), sleep_twice(second));
    group.cancel();
    BOOST_TEST(drained(seconds(60)));
    BOOST_TEST(!second);
    BOOST_TEST(faults.empty());
}

BOOST_AUTO_TEST_CASE(a_closed_group_takes_nothing_and_lets_the_rest_go_on) {
    std::atomic<int> begun = 0;
    std::atomic<int> ended = 0;
    group.spawn(shards.executor(0), count_then_sleep(begun, ended, milliseconds(20)));
    group.close();
    BOOST_TEST(!group.spawn(shards.executor(0), count_then_sleep(begun, ended, milliseconds(1))));
    BOOST_TEST(drained(seconds(60)));
    BOOST_TEST(begun == 1);
    BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(an_exception_that_escapes_is_reported_once) {
    group.spawn(shards.executor(1), fail("broken on purpose"));
    BOOST_TEST(drained(seconds(60)));
    BOOST_REQUIRE(faults.size() == 1U);
    BOOST_TEST(faults[0] == "broken on purpose");
}

BOOST_AUTO_TEST_SUITE_END()
