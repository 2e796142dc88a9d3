#include "ra/slow_down.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/clock.hpp"

namespace postern::ra {

using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(ra_slow_down)

struct Clocked {
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    SlowDown slow{clock};
    void wrong(const std::string& pair, int times) {
        for (int i = 0; i < times; ++i) slow.wrong(pair);
    }
};

BOOST_FIXTURE_TEST_CASE(three_tries_are_free_and_then_each_doubles_the_wait, Clocked) {
    wrong("a", 3);
    BOOST_TEST(!slow.wait("a").has_value());
    wrong("a", 1);
    BOOST_TEST((slow.wait("a") == seconds(2)));
    wrong("a", 1);
    BOOST_TEST((slow.wait("a") == seconds(4)));
    wrong("a", 100);
    BOOST_TEST((slow.wait("a") == SlowDown::longest));
}

BOOST_FIXTURE_TEST_CASE(the_wait_ends_and_others_never_have_one, Clocked) {
    wrong("a", 4);
    BOOST_TEST(!slow.wait("b").has_value());
    clock.advance(seconds(1));
    BOOST_TEST((slow.wait("a") == seconds(1)));
    clock.advance(seconds(1));
    BOOST_TEST(!slow.wait("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(a_right_challenge_begins_anew, Clocked) {
    wrong("a", 4);
    clock.advance(seconds(2));
    slow.right("a");
    wrong("a", 3);
    BOOST_TEST(!slow.wait("a").has_value());
}

BOOST_FIXTURE_TEST_CASE(memory_is_bounded_and_the_oldest_are_forgotten, Clocked) {
    wrong("first", 4);
    wrong("second", 4);
    for (std::size_t i = 0; i + 1 < SlowDown::most_pairs; ++i) slow.wrong(std::to_string(i));
    BOOST_TEST(!slow.wait("first").has_value());
    BOOST_TEST(slow.wait("second").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::ra
