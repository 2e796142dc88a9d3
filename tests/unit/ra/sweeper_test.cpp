#include <set>

#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_sweeper)

using namespace postern;
using namespace postern::test;
using Mode = ScriptedCa::Mode;

namespace {

/// Leaves `count` intents behind, as a process that ended would: this node has forgotten them.
struct Left : World {
    explicit Left(std::size_t count) {
        apply_standard();
        ra::Enrollment ended(enrollment_deps(earlier));
        ca.mode = Mode::crash;
        for (std::size_t i = 0; i < count; ++i)
            BOOST_CHECK_THROW(run(ended.submit(request({"corp.example"}, "order-" + std::to_string(i)))), std::runtime_error);
        ca.mode = Mode::ok;
        BOOST_TEST(open() == count);
    }
    std::size_t open() {
        std::size_t n = 0;
        for (const auto& e : enrollments()) n += e.status == "submitted" ? 1 : 0;
        return n;
    }
};

core::Task<void> finds_nothing(World& w) {
    w.clock.advance(1h);
    const auto settled = co_await w.sweeper.round();
    BOOST_TEST(settled == 0U);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_outcome_that_found_the_store_away_is_settled_without_a_restart) {
    World w;
    w.apply_standard();
    w.db.away_at = &store::certificate_insert;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), store::StoreUnavailable);
    const auto lost = w.enrollments().at(0);
    BOOST_TEST(lost.status == "submitted");

    // Still away: nothing is given up, and the intent is not forgotten.
    w.db.away_at = &store::enrollment_resubmit;
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);
    BOOST_TEST(w.enrollments().at(0).serial == lost.serial);
    BOOST_TEST(w.enrollment.intents().left(10).size() == 1U);

    w.db.away_at = nullptr;
    BOOST_TEST(w.run(w.sweeper.round()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "issued");
    BOOST_TEST(w.certificates().size() == 1U);
    BOOST_TEST((w.read(revocation_rows).at(0).blob(0) == lost.serial));
    const int published = w.ca.published;
    BOOST_TEST(published > 0);
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);
    BOOST_TEST(w.ca.published == published);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_intents_settled_total 1"));
}

BOOST_AUTO_TEST_CASE(an_intent_whose_commit_nobody_knows_of_is_looked_for) {
    World w;
    w.apply_standard();
    w.db.away_at = &store::enrollment_insert;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), store::StoreUnavailable);
    w.db.away_at = nullptr;
    BOOST_TEST(w.enrollment.intents().left(10).size() == 1U);
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);  // it is not there
    BOOST_TEST(w.enrollment.intents().left(10).empty());
    BOOST_TEST(w.enrollments().empty());
}

BOOST_AUTO_TEST_CASE(what_a_request_of_this_node_works_on_is_left_alone_however_old) {
    World w;
    w.apply_standard();
    w.db.hook_at = &store::certificate_insert;
    w.db.hook = [&w] { return finds_nothing(w); };
    BOOST_TEST(w.submit(w.request({"corp.example"})).has_value());
    BOOST_TEST(w.read(revocation_rows).empty());
    BOOST_TEST(w.ca.asked == 1);
}

BOOST_AUTO_TEST_CASE(a_start_settles_some_and_the_rounds_the_rest) {
    Left w(ra::Sweeper::before_listening + 5);
    BOOST_TEST(w.run(w.sweeper.start()) == ra::Sweeper::before_listening);
    BOOST_TEST(w.open() == 5U);
    BOOST_TEST(w.run(w.sweeper.round()) == 5U);
    BOOST_TEST(w.open() == 0U);
    BOOST_TEST(w.certificates().size() == ra::Sweeper::before_listening + 5);
    BOOST_TEST(w.read(revocation_rows).size() == ra::Sweeper::before_listening + 5);
}

/// Another node that lives, and of whose life the world's earlier process was.
struct Others final : store::Lives {
    explicit Others(core::Random& random) : life(store::draw_life(random)) {}
    [[nodiscard]] std::int64_t own() const noexcept override { return life; }
    [[nodiscard]] bool gone(std::optional<std::int64_t> of) const override { return of && ended.contains(*of); }
    core::Task<void> observe() override {
        ++looks;
        co_return;
    }
    std::int64_t life;
    std::set<std::int64_t> ended;
    int looks = 0;
};

BOOST_AUTO_TEST_CASE(a_node_among_others_takes_intents_of_the_living_only_when_no_request_can_be_alive) {
    Left w(3);
    Others others(w.random);
    ra::Enrollment enrollment(w.enrollment_deps(others));
    ra::Sweeper first(w.sweeper_deps(enrollment, "node-2", others));
    BOOST_TEST(w.run(first.start()) == 0U);
    BOOST_TEST(others.looks == 1);
    w.clock.advance(ra::Enrollment::safe_age);
    BOOST_TEST(w.run(first.round()) == 0U);
    BOOST_TEST(w.open() == 3U);
    w.clock.advance(31s);
    BOOST_TEST(w.run(first.round()) == 3U);
    BOOST_TEST(w.open() == 0U);
}

BOOST_AUTO_TEST_CASE(a_node_among_others_takes_intents_of_a_life_that_is_over_at_once) {
    Left w(3);
    Others others(w.random);
    ra::Enrollment enrollment(w.enrollment_deps(others));
    ra::Sweeper sweeper(w.sweeper_deps(enrollment, "node-2", others));
    BOOST_TEST(w.run(sweeper.round()) == 0U);
    others.ended.insert(w.earlier.own());
    w.clock.advance(5s);
    BOOST_TEST(w.run(sweeper.round()) == 3U);
    for (const auto& e : w.enrollments()) BOOST_TEST((e.status == "issued" && e.life == others.life));
    BOOST_TEST(w.read(revocation_rows).size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_another_node_took_over_and_works_on_is_not_taken_back) {
    Left w(1);
    Others others(w.random);
    ra::Enrollment enrollment(w.enrollment_deps(others));
    others.ended.insert(w.earlier.own());
    w.ca.mode = Mode::crash;  // the other node has resubmitted it, and has no outcome yet
    const auto id = w.enrollments().at(0).id;
    BOOST_CHECK_THROW(w.run(enrollment.settle(id, nullptr)), std::runtime_error);
    w.ca.mode = Mode::ok;
    const auto taken = w.enrollments().at(0);
    BOOST_TEST((taken.status == "submitted" && taken.life == others.life));

    Others third(w.random);
    ra::Enrollment late(w.enrollment_deps(third));
    BOOST_TEST((w.run(late.settle(id, nullptr)) == ra::Enrollment::Settled::untouched));
    BOOST_TEST((w.enrollments().at(0).serial == taken.serial));
    third.ended.insert(others.life);
    BOOST_TEST((w.run(late.settle(id, nullptr)) == ra::Enrollment::Settled::reissued));
}

BOOST_AUTO_TEST_CASE(one_node_at_a_time_settles_them) {
    Left w(2);
    ra::Sweeper sweeper(w.sweeper_deps(w.enrollment, "node-3", w.lives));
    store::Lease elsewhere(w.db, w.clock, "sweeper", "node-2");
    BOOST_TEST(w.run(elsewhere.hold()));
    BOOST_TEST(w.run(sweeper.round()) == 0U);
    BOOST_TEST(w.open() == 2U);
    w.clock.advance(16s);
    BOOST_TEST(w.run(sweeper.round()) == 2U);
}

BOOST_AUTO_TEST_CASE(a_sweeper_that_lost_its_lease_settles_nothing) {
    Left w(1);
    store::Lease lease(w.db, w.clock, "sweeper", "node-2"), taken(w.db, w.clock, "sweeper", "node-3");
    BOOST_TEST(w.run(lease.hold()));
    w.clock.advance(1min);
    BOOST_TEST(w.run(taken.hold()));
    const auto id = w.enrollments().at(0).id;
    BOOST_TEST((w.run(w.enrollment.settle(id, &lease)) == ra::Enrollment::Settled::untouched));
    BOOST_TEST(w.open() == 1U);
    BOOST_TEST(w.read(revocation_rows).empty());
    BOOST_TEST((w.run(w.enrollment.settle(id, &taken)) == ra::Enrollment::Settled::reissued));
}

BOOST_AUTO_TEST_SUITE_END()
