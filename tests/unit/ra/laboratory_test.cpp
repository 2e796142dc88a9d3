#include "ra/laboratory.hpp"

#include "store/tables/audit.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_laboratory)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

/// One node: a clock of its own over the machine's, on the world's store.
struct Node {
    explicit Node(World& w) : world(w) {}
    std::chrono::milliseconds advance(std::chrono::milliseconds by) {
        return world.run(laboratory.advance(by, ra::Actor("local", "uid 0"), core::RequestId("advancing"))).value();
    }
    core::ProblemKind refused(std::chrono::milliseconds by) {
        return world.run(laboratory.advance(by, ra::Actor("local", "uid 0"), core::RequestId("advancing"))).error().kind;
    }
    bool follow() { return world.run(laboratory.follow()); }
    World& world;
    core::LaboratoryClock clock{world.clock};
    ra::Laboratory laboratory{ra::Laboratory::Deps{world.db, world.numbers, clock, world.log}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(nodes_follow_the_store_and_never_back) {
    World w;
    Node one(w), two(w);
    BOOST_TEST(!one.follow());
    BOOST_TEST((one.clock.now() == w.clock.now()));
    BOOST_TEST((one.advance(24h * 30) == 24h * 30));
    BOOST_TEST((one.clock.now() == w.clock.now() + 24h * 30));
    BOOST_TEST((one.clock.since_boot() == w.clock.since_boot()));
    BOOST_TEST((two.clock.ahead() == 0ms));
    BOOST_TEST(two.follow());
    BOOST_TEST(!two.follow());
    BOOST_TEST((two.clock.now() == one.clock.now()));
    // From where the store stands, also for a node that has not followed yet.
    BOOST_TEST((two.advance(1h) == 24h * 30 + 1h));
    BOOST_TEST((one.advance(1h) == 24h * 30 + 2h));
    BOOST_TEST(!one.clock.raise_to(1h));
    BOOST_TEST((one.clock.ahead() == 24h * 30 + 2h));
}

BOOST_AUTO_TEST_CASE(it_goes_forward_and_within_bounds) {
    World w;
    Node node(w);
    BOOST_TEST((node.refused(0ms) == ProblemKind::malformed));
    BOOST_TEST((node.refused(-1h) == ProblemKind::malformed));
    BOOST_TEST((node.refused(ra::Laboratory::most + 1ms) == ProblemKind::malformed));
    node.advance(ra::Laboratory::most);
    BOOST_TEST((node.refused(1ms) == ProblemKind::malformed));
}

BOOST_AUTO_TEST_CASE(the_change_is_audited_with_the_time_of_its_making) {
    World w;
    Node node(w);
    const auto before = w.clock.now();
    node.advance(24h);
    const auto rows = w.audits("laboratory.clock_advanced");
    BOOST_TEST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].text(3).find("\"ahead_seconds\":86400") != std::string::npos);
    const auto newest = w.read(store::audit_newest).at(0).time(0);
    BOOST_TEST((newest == before));
}

BOOST_AUTO_TEST_CASE(a_start_finds_no_record_of_the_future) {
    World w;
    Node node(w);
    node.advance(24h * 400);
    const auto agreement = [&](const core::LaboratoryClock* laboratory) {
        ra::ClockAgreement::Deps deps{w.db, w.numbers, w.clock, w.log, w.metrics};
        deps.laboratory = laboratory;
        auto out = std::make_unique<ra::ClockAgreement>(deps);
        w.run(out->open());
        return out;
    };
    // Dated by the laboratory's clock.
    node.advance(1h);
    const auto after = agreement(&node.clock);
    BOOST_TEST(after->check().has_value());
    BOOST_TEST((after->now() == w.clock.now() + 24h * 400 + 1h));
    BOOST_TEST((after->state().laboratory == 24h * 400 + 1h));
    // The machine's clock is judged as ever.
    w.clock.step(6min);
    BOOST_TEST(!after->check());
    BOOST_TEST((after->now() == w.clock.now() - 6min + 24h * 400 + 1h));
    w.clock.step(-6min);
    BOOST_TEST(after->check().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
