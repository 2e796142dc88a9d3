#include "tests/unit/ra/foreign_world.hpp"

/// A CA that is not ours behind two nodes whose clocks are not the same.
BOOST_AUTO_TEST_SUITE(foreign_fleet)

using namespace postern;
using namespace postern::test;

/// What a node sees of the others, as its registry would say it.
class Others final : public store::Lives {
public:
    explicit Others(core::Random& random) : life_(store::draw_life(random)) {}
    [[nodiscard]] std::int64_t own() const noexcept override { return life_; }
    [[nodiscard]] bool gone(std::optional<std::int64_t> life) const override { return life && *life != life_ && !alive.contains(*life); }
    core::Task<void> observe() override {
        ++looks;
        co_return;
    }
    std::set<std::int64_t> alive;
    int looks = 0;

private:
    std::int64_t life_;
};

/// A second node on the same store, with a clock of its own.
struct Second {
    Second(Elsewhere& first, std::chrono::milliseconds ahead) : w(first), clock(first.clock.now() + ahead), lives(first.random) {
        lives.alive.insert(first.lives.own());
    }
    std::size_t round() { return w.run(poller.round()); }

    Elsewhere& w;
    core::FakeClock clock;
    Others lives;
    observe::Metrics metrics;
    ra::ClockAgreement agreement{ra::ClockAgreement::Deps{w.db, w.numbers, clock, w.log, metrics}};
    ra::Enrollment enrollment{ra::Enrollment::Deps{w.db, w.numbers, w.catalog, w.backends, w.random, clock, w.log, metrics, w.gate, agreement, w.outbox, lives, w.stranger_refusals, "node-2"}};
    ra::Poller poller{ra::Poller::Deps{w.db, enrollment, w.asking, w.tasks, clock, w.log, metrics, "node-2", lives}};
};

BOOST_DATA_TEST_CASE(a_node_whose_clock_is_ahead_takes_nothing_from_one_that_lives, engines(), engine) {
    Elsewhere w(engine);
    Second ahead(w, 9min);
    w.foreign.at_find = ca::Outcome(ca::Absent());
    w.foreign.before_answer = [&]() -> core::Task<void> {
        for (int times = 0; times < 2; ++times) {
            const auto asked = co_await ahead.poller.round();
            BOOST_TEST(asked == 0U);
        }
    };
    BOOST_TEST(!w.issue({"corp.example"}).token.empty());
    BOOST_TEST((ahead.lives.looks == 1 && w.foreign.looked_up == 0));  // found due once, then put off
    BOOST_TEST((w.status() == "issued" && w.state().empty()));
    BOOST_TEST(w.audits("enrollment.late_answer").empty());
}

BOOST_DATA_TEST_CASE(what_a_node_left_that_is_gone_is_absent_once_no_clock_says_that_it_may_run, engines(), engine) {
    Elsewhere w(engine);
    Second ahead(w, 9min);
    w.foreign.at_find = ca::Outcome(ca::Absent());
    w.foreign.before_answer = []() -> core::Task<void> {
        throw std::runtime_error("the process ends here");
        co_return;
    };
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    ahead.lives.alive.clear();
    BOOST_TEST(ahead.round() == 1U);
    BOOST_TEST(w.state() == "lost");
    ahead.clock.advance(2s);
    BOOST_TEST(ahead.round() == 1U);
    // Nine minutes by this clock, none by the other: its program may be at work.
    BOOST_TEST((w.status() == "submitted" && w.state() == "lost" && w.foreign.looked_up == 1));
    ahead.clock.advance(2min);
    BOOST_TEST(ahead.round() == 1U);
    BOOST_TEST((w.status() == "invalid" && w.state().empty() && w.foreign.looked_up == 2));
}

BOOST_DATA_TEST_CASE(a_node_that_only_seems_to_live_holds_nothing_for_ever, engines(), engine) {
    Elsewhere w(engine);
    Second other(w, 0min);
    w.foreign.before_answer = []() -> core::Task<void> {
        throw std::runtime_error("the process stands still");
        co_return;
    };
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    other.clock.advance(11min);  // what issuing and recording take is two minutes
    BOOST_TEST(other.round() == 0U);
    other.clock.advance(2min);
    BOOST_TEST(other.round() == 1U);
    BOOST_TEST(w.state() == "lost");
}

BOOST_DATA_TEST_CASE(a_clock_in_doubt_ends_no_wait, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = w.foreign.at_poll = ForeignCa::pending("h");
    w.wait();
    w.clock.step(6h);
    BOOST_TEST(w.round() == 0U);
    BOOST_TEST((w.status() == "submitted" && w.state() == "pending" && w.foreign.polled == 0));
    w.clock.step(-6h);
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.foreign.polled == 1);
}

BOOST_AUTO_TEST_SUITE_END()
