#include <boost/test/unit_test.hpp>

#include "core/async/deadline.hpp"
#include "core/async/shards.hpp"

using namespace postern::core;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Task<int> value_after(milliseconds pause, int value) {
    co_await sleep_for(pause);
    co_return value;
}

Task<int> throws_after(milliseconds pause) {
    co_await sleep_for(pause);
    throw std::runtime_error("broken on purpose");
}

/// Leaves a mark when it ends, in whatever way.
Task<void> marks_its_end(milliseconds pause, bool& ended) {
    struct Mark {
        explicit Mark(bool& m) : mark(m) {}
        ~Mark() { mark = true; }
        bool& mark;
    };
    const Mark at_end(ended);
    co_await sleep_for(pause);
}

Task<std::optional<int>> within(milliseconds limit, Task<int> work) {
    auto result = co_await with_deadline<int>(deadline_in(limit), std::move(work));
    co_return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(async_deadline)

BOOST_AUTO_TEST_CASE(a_value_that_comes_in_time_is_returned) {
    BOOST_TEST(run_to_end(within(seconds(60), value_after(milliseconds(1), 7))).value() == 7);
}

BOOST_AUTO_TEST_CASE(the_timer_gives_nothing) {
    BOOST_TEST(!run_to_end(within(milliseconds(1), value_after(seconds(600), 7))).has_value());
}

BOOST_AUTO_TEST_CASE(a_deadline_in_the_past_gives_nothing) {
    BOOST_TEST(!run_to_end(within(milliseconds(-1000), value_after(seconds(600), 7))).has_value());
}

BOOST_AUTO_TEST_CASE(an_exception_goes_on_to_the_caller) {
    BOOST_CHECK_EXCEPTION(run_to_end(within(seconds(60), throws_after(milliseconds(1)))), std::runtime_error,
                          [](const std::runtime_error& e) { return std::string(e.what()) == "broken on purpose"; });
}

BOOST_AUTO_TEST_CASE(the_loser_has_ended_when_the_caller_goes_on) {
    bool ended = false;
    const bool finished = run_to_end(with_deadline(deadline_in(milliseconds(1)), marks_its_end(seconds(600), ended)));
    BOOST_TEST(!finished);
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(work_without_a_value_tells_whether_it_finished) {
    bool ended = false;
    BOOST_TEST(run_to_end(with_deadline(deadline_in(seconds(60)), marks_its_end(milliseconds(1), ended))));
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_SUITE_END()
