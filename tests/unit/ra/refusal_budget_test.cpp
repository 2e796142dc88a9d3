#include "ra/refusal_budget.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/clock.hpp"

namespace postern::ra {

using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(ra_refusal_budget)

struct Clocked {
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    RefusalBudget budget{clock, RefusalBudget::Bounds{3, 10, seconds(60), seconds(10)}};

    int taken(const std::string& source, int times) {
        int out = 0;
        for (int i = 0; i < times; ++i) out += budget.take(source).has_value();
        return out;
    }
};

BOOST_FIXTURE_TEST_CASE(a_source_has_some_at_once_and_then_one_at_a_time, Clocked) {
    BOOST_TEST(taken("a", 100) == 3);
    clock.advance(seconds(59));
    BOOST_TEST(taken("a", 100) == 0);
    clock.advance(seconds(1));
    BOOST_TEST(taken("a", 100) == 1);
    clock.advance(seconds(150));
    BOOST_TEST(taken("a", 100) == 2);
    clock.advance(seconds(30));  // the half that was left over counts
    BOOST_TEST(taken("a", 100) == 1);
    clock.advance(std::chrono::hours(100));
    BOOST_TEST(taken("a", 100) == 3);
}

BOOST_FIXTURE_TEST_CASE(the_next_one_says_how_many_were_left_out, Clocked) {
    BOOST_TEST(budget.take("a").value().of_source == 0);
    BOOST_TEST(taken("a", 42) == 2);
    clock.advance(seconds(60));
    BOOST_TEST(budget.take("a").value().of_source == 40);
    clock.advance(seconds(60));
    BOOST_TEST(budget.take("a").value().of_source == 0);
}

BOOST_FIXTURE_TEST_CASE(what_was_left_out_of_a_source_that_is_forgotten_is_told_by_the_next_one, Clocked) {
    BOOST_TEST(taken("loud", 45) == 3);
    for (std::size_t i = 0; i < RefusalBudget::most_sources; ++i) taken(std::to_string(i), 1);
    const auto others = static_cast<std::int64_t>(RefusalBudget::most_sources) - 7;  // of all ten three were the first's
    clock.advance(seconds(10));
    const auto told = budget.take("0").value();
    BOOST_TEST((told.of_source == 0 && told.of_others == 42));
    clock.advance(seconds(10));
    const auto next = budget.take("1").value();
    BOOST_TEST((next.of_source == 0 && next.of_others == 0));
    std::int64_t rest = 0;
    for (std::size_t i = 2; i < RefusalBudget::most_sources; ++i) {
        clock.advance(seconds(10));
        rest += budget.take(std::to_string(i)).value().of_source;
    }
    BOOST_TEST(rest == others);
}

BOOST_FIXTURE_TEST_CASE(all_sources_together_have_a_bound, Clocked) {
    int all = 0;
    for (int i = 0; i < 100; ++i) all += taken(std::to_string(i), 5);
    BOOST_TEST(all == 10);
    clock.advance(seconds(20));
    BOOST_TEST(taken("another", 5) == 2);
}

BOOST_FIXTURE_TEST_CASE(memory_is_bounded, Clocked) {
    BOOST_TEST(taken("a", 5) == 3);
    for (std::size_t i = 0; i < RefusalBudget::most_sources; ++i) taken(std::to_string(i), 1);
    clock.advance(std::chrono::seconds(59));
    BOOST_TEST(taken("a", 5) == 3);  // as new: it was forgotten
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::ra
