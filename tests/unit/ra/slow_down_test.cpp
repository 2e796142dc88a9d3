#include "ra/slow_down.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/clock.hpp"

namespace postern::ra {

using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(ra_slow_down)

struct Clocked {
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    SlowDown slow{clock}, of_network{clock, SlowDown::of_source};
    int guesses = 0;

    /// Another secret each time.
    [[nodiscard]] SlowDown::Try attempt(const std::string& who) { return attempt("network", who); }
    [[nodiscard]] SlowDown::Try attempt(const std::string& source, const std::string& who) { return slow.attempt(source, who, std::to_string(++guesses)); }
    [[nodiscard]] SlowDown::Try attempt_of_fleet() { return of_network.attempt_of_fleet("network", "all", std::to_string(++guesses)); }
    /// As many as are let through, one after the other.
    int wrong(const std::string& pair, int times) {
        int judged = 0;
        for (int i = 0; i < times; ++i) {
            auto one = attempt(pair);
            if (one.wait()) continue;
            one.wrong();
            ++judged;
        }
        return judged;
    }
    [[nodiscard]] std::optional<seconds> wait(const std::string& pair) { return attempt(pair).wait(); }
};

BOOST_FIXTURE_TEST_CASE(three_tries_are_free_and_then_each_doubles_the_wait, Clocked) {
    BOOST_TEST(wrong("a", 3) == 3);
    BOOST_TEST(!wait("a").has_value());
    BOOST_TEST(wrong("a", 9) == 1);
    BOOST_TEST((wait("a") == seconds(2)));
    clock.advance(seconds(2));
    BOOST_TEST(wrong("a", 9) == 1);
    BOOST_TEST((wait("a") == seconds(4)));
    for (int i = 0; i < 100; ++i) {
        clock.advance(seconds(60));
        BOOST_TEST(wrong("a", 2) == 1);
    }
    BOOST_TEST((wait("a") == SlowDown::of_pair.longest));
}

BOOST_FIXTURE_TEST_CASE(the_wait_ends_and_others_never_have_one, Clocked) {
    wrong("a", 4);
    BOOST_TEST(!wait("b").has_value());
    clock.advance(seconds(1));
    BOOST_TEST((wait("a") == seconds(1)));
    clock.advance(seconds(1));
    BOOST_TEST(!wait("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(a_right_one_begins_anew, Clocked) {
    wrong("a", 4);
    clock.advance(seconds(2));
    attempt("a").right();
    BOOST_TEST(wrong("a", 9) == 4);
}

BOOST_FIXTURE_TEST_CASE(of_many_at_once_no_more_are_judged_than_of_many_in_a_row, Clocked) {
    std::vector<SlowDown::Try> judged;
    for (int i = 0; i < 50; ++i)
        if (auto one = attempt("a"); !one.wait()) judged.push_back(std::move(one));
    BOOST_TEST(judged.size() == 4U);
    for (auto& one : judged) one.wrong();
    BOOST_TEST((wait("a") == seconds(2)));
    // One of them right, the others still count.
    judged.clear();
    for (int i = 0; i < 50; ++i)
        if (auto one = attempt("b"); !one.wait()) judged.push_back(std::move(one));
    judged.front().right();
    BOOST_TEST(wrong("b", 9) == 1);
}

BOOST_FIXTURE_TEST_CASE(the_same_secret_at_once_is_one_try, Clocked) {
    std::vector<SlowDown::Try> fleet;
    for (int i = 0; i < 50; ++i) fleet.push_back(slow.attempt("network", "a", "of all"));
    for (const auto& one : fleet) BOOST_TEST(!one.wait().has_value());
    BOOST_TEST(wrong("a", 9) == 3);
    for (auto& one : fleet) one.wrong();
    BOOST_TEST(slow.attempt("network", "a", "of all").wait().has_value());  // and no longer once it was judged
    for (int i = 0; i < 50; ++i) fleet.push_back(slow.attempt("network", "b", "of all"));
    for (auto& one : fleet) one.right();
    BOOST_TEST(wrong("b", 9) == 4);
}

BOOST_FIXTURE_TEST_CASE(what_nobody_judged_counts_for_nothing, Clocked) {
    for (int i = 0; i < 50; ++i) BOOST_TEST(!attempt("a").wait().has_value());
    wrong("a", 3);
    for (int i = 0; i < 50; ++i) BOOST_TEST(!attempt("a").wait().has_value());
    BOOST_TEST(wrong("a", 9) == 1);
    // Of two that wait for the same answer one may leave.
    clock.advance(seconds(2));
    auto stays = slow.attempt("network", "a", "same");
    { const auto leaves = slow.attempt("network", "a", "same"); }
    BOOST_TEST(wait("a").has_value());
    stays.wrong();
    BOOST_TEST((wait("a") == seconds(4)));
}

BOOST_FIXTURE_TEST_CASE(an_hour_after_the_last_wrong_one_it_begins_anew, Clocked) {
    wrong("a", 4);
    clock.advance(SlowDown::forgotten_after - seconds(1));
    BOOST_TEST(wrong("a", 9) == 1);
    clock.advance(SlowDown::forgotten_after);
    BOOST_TEST(wrong("a", 9) == 4);
}

BOOST_FIXTURE_TEST_CASE(no_source_forgets_its_own_wait_by_trying_something_else, Clocked) {
    wrong("a", 4);
    for (std::size_t i = 0; i < SlowDown::most_pairs; ++i) wrong("other " + std::to_string(i), 1);
    BOOST_TEST((wait("a") == seconds(2)));
}

BOOST_FIXTURE_TEST_CASE(a_source_with_too_many_pairs_waits_as_one_and_never_long, Clocked) {
    for (std::size_t i = 0; i < SlowDown::most_of_source; ++i) wrong("one " + std::to_string(i), 1);
    int judged = 0;
    for (int i = 0; i < 1000; ++i) judged += wrong("another " + std::to_string(i), 1);
    BOOST_TEST(judged == SlowDown::of_source.free_tries + 1);
    BOOST_TEST((wait("a newcomer") == seconds(1)));
    for (int i = 0; i < 10; ++i) {
        clock.advance(SlowDown::of_source.longest);
        BOOST_TEST(wrong("yet another " + std::to_string(i), 9) == 1);
        BOOST_TEST((wait("a newcomer") == seconds(1)));
    }
    // Neither who has room already nor another source waits for them.
    BOOST_TEST(!wait("one 7").has_value());
    BOOST_TEST(!attempt("elsewhere", "a newcomer").wait().has_value());
    clock.advance(SlowDown::forgotten_after);
    BOOST_TEST(wrong("a newcomer", 9) == 4);
}

BOOST_FIXTURE_TEST_CASE(a_fleet_comes_at_once_until_many_of_its_source_were_wrong, Clocked) {
    std::vector<SlowDown::Try> many;
    for (int i = 0; i < 500; ++i) many.push_back(attempt_of_fleet());
    for (auto& one : many) {
        BOOST_TEST(!one.wait().has_value());
        one.taken_back();
    }
    many.clear();
    for (int i = 0; i < SlowDown::of_source.free_tries; ++i) attempt_of_fleet().wrong();
    // From then on one at a time, and of the right ones each lets the next in.
    auto first = attempt_of_fleet();
    BOOST_TEST(!first.wait().has_value());
    BOOST_TEST(attempt_of_fleet().wait().has_value());
    first.taken_back();
    for (int i = 0; i < 50; ++i) {
        auto next = attempt_of_fleet();
        BOOST_TEST(!next.wait().has_value());
        next.taken_back();
    }
    attempt_of_fleet().wrong();
    BOOST_TEST((attempt_of_fleet().wait() == seconds(1)));
    // Whoever errs once a second shuts nobody out.
    clock.advance(std::chrono::milliseconds(250));
    BOOST_TEST(!attempt_of_fleet().wait().has_value());
}

BOOST_FIXTURE_TEST_CASE(one_that_was_wrong_for_one_judge_counts_whatever_comes_of_the_next, Clocked) {
    for (int i = 0; i < 4; ++i) attempt("a").stays();  // and its end without another word
    BOOST_TEST((wait("a") == seconds(2)));
    clock.advance(seconds(2));
    auto last = attempt("a");
    last.stays();
    last.right();
    BOOST_TEST(wrong("a", 9) == 4);
}

BOOST_FIXTURE_TEST_CASE(memory_is_bounded_and_the_oldest_are_forgotten, Clocked) {
    wrong("first", 4);
    wrong("second", 4);
    const auto source = [](std::size_t i) { return "source " + std::to_string(i / SlowDown::most_of_source); };
    for (std::size_t i = 0; i + 1 < SlowDown::most_pairs; ++i) attempt(source(i), std::to_string(i)).wrong();
    BOOST_TEST(wait("second").has_value());
    BOOST_TEST(!wait("first").has_value());
}

BOOST_FIXTURE_TEST_CASE(one_that_was_forgotten_while_it_was_judged_hurts_nobody, Clocked) {
    auto judged = attempt("first");
    for (std::size_t i = 0; i < SlowDown::most_pairs; ++i) attempt("source " + std::to_string(i), "one").wrong();
    judged.wrong();
    BOOST_TEST(wrong("first", 9) == 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::ra
