#include <boost/test/unit_test.hpp>

#include "core/async/crew.hpp"
#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"

using namespace postern::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// What the items of one crew did. All run on one executor.
struct Record {
    Record() = default;
    std::size_t running = 0, most = 0;
    std::vector<std::size_t> done;
};

Task<void> item(Record& record, std::size_t index) {
    ++record.running;
    record.most = std::max(record.most, record.running);
    co_await sleep_for(milliseconds(1));
    --record.running;
    if (index % 3 == 2) throw std::runtime_error("item " + std::to_string(index));
    record.done.push_back(index);
}

Task<void> endless(Record& record) {
    ++record.running;
    co_await sleep_for(seconds(600));
    co_await sleep_for(milliseconds(1));  // thrown out of here
    record.done.push_back(0);
}

struct Fixture {
    Fixture() : group([this](std::string_view what) { faults.emplace_back(what); }) {}
    void run(std::size_t count, std::size_t at_once) {
        run_to_end(run_crew(group, count, at_once, [this](std::size_t i) { return item(record, i); }));
    }
    std::vector<std::string> faults;
    TaskGroup group;
    Record record;
};

/// The caller leaves; then the group is cancelled and awaited.
Task<bool> leave(Fixture& f) {
    auto crew = run_crew(f.group, 2, 1, [&f](std::size_t) { return endless(f.record); });
    const bool finished = co_await with_deadline(deadline_in(milliseconds(5)), std::move(crew));
    f.group.cancel();
    const auto limit = deadline_in(seconds(60));
    const bool ended = co_await f.group.drained(limit);
    co_return !finished && ended;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crew)

BOOST_FIXTURE_TEST_CASE(every_item_is_done_some_at_a_time, Fixture) {
    run(2, 8);
    BOOST_TEST(record.most == 2U);
    BOOST_TEST(record.done.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(an_item_that_throws_keeps_none_from_running, Fixture) {
    BOOST_CHECK_EXCEPTION(run(10, 4), std::runtime_error, [](const std::exception& e) { return std::string(e.what()) == "item 2"; });
    BOOST_TEST(record.most == 4U);
    BOOST_TEST(record.done.size() == 7U);
    BOOST_TEST(faults.empty());
}

BOOST_FIXTURE_TEST_CASE(nothing_to_do_and_a_closed_group_end_at_once, Fixture) {
    run(0, 4);
    group.close();
    run(3, 4);
    BOOST_TEST(record.done.empty());
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_worker_begins_no_other_item, Fixture) {
    BOOST_TEST(run_to_end(leave(*this)));
    BOOST_TEST(record.running == 1U);
    BOOST_TEST(record.done.empty());
    BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
