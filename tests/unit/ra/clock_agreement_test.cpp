#include "ra/clock_agreement.hpp"

#include "store/tables/setting.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_clock_agreement)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr store::Statement rows_of_all{
    "rows_of_all", "SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM enrollment), "
                   "(SELECT group_concat(series || next) FROM number_block), (SELECT count(*) FROM certificate)"};

struct Clocks : World {
    Clocks() {
        static_cast<void>(apply(standard_documents).value());
        run(clock_agreement.open());
    }
    /// What a restart would find.
    std::unique_ptr<ra::ClockAgreement> restarted() {
        const ra::ClockAgreement::Deps deps{db, numbers, clock, log, metrics};
        auto out = std::make_unique<ra::ClockAgreement>(deps);
        run(out->open());
        return out;
    }
    /// The minute's stamp, as the loop would write it.
    void pass(std::chrono::milliseconds time) {
        clock.advance(time);
        store::Batch batch;
        batch.add(store::setting_update, store::values("clock.stamp", std::to_string(core::to_ms(clock.now()))));
        BOOST_TEST(run(db.write(std::move(batch))).has_value());
    }
    std::string stored() {
        const auto row = read(rows_of_all).at(0);
        return std::to_string(row.integer(0)) + " " + std::to_string(row.integer(1)) + " " + row.text(2) + " " + std::to_string(row.integer(3));
    }
    ra::ClockAgreement::State accept(ra::ClockAgreement& agreement) {
        return run(agreement.accept(ra::Actor("local", "uid 0"), core::RequestId("accepting")));
    }
    double metric() {
        const auto text = metrics.scrape();
        const std::string name = "\npostern_clock_agreement ";
        return std::stod(text.substr(text.find(name) + name.size()));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(five_minutes_apart_is_agreement_and_more_is_not) {
    for (const auto way : {1, -1}) {
        Clocks w;
        w.clock.step(way * 5min);
        BOOST_TEST(w.clock_agreement.check().has_value());
        w.clock.step(way * 1ms);
        const auto checked = w.clock_agreement.check();
        BOOST_REQUIRE(!checked);
        BOOST_TEST((checked.error().kind == ProblemKind::unavailable));
        BOOST_TEST(checked.error().check == "clock.agreement");
        BOOST_TEST(checked.error().retry_after.has_value());
        const auto state = w.clock_agreement.state();
        BOOST_TEST(!state.agree);
        BOOST_TEST((state.apart == way * (5min + 1ms)));
        BOOST_TEST(state.reason.find("postern clock accept") != std::string::npos);
        w.clock.step(way * -1ms);  // set right again: nothing was stored meanwhile, so nothing is to be accepted
        BOOST_TEST(w.clock_agreement.check().has_value());
        BOOST_TEST(w.clock_agreement.state().agree);
    }
}

BOOST_AUTO_TEST_CASE(time_that_passes_is_agreement) {
    Clocks w;
    w.clock.advance(24h * 400);
    BOOST_TEST(w.clock_agreement.check().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_stored_for_a_request_in_doubt) {
    for (const std::chrono::milliseconds step : {std::chrono::milliseconds(1h), std::chrono::milliseconds(-1h), std::chrono::milliseconds(24h * 3652)}) {
        Clocks w;
        const auto before = w.stored();
        w.clock.step(step);
        const auto refused = w.submit(w.request({"www.corp.example"}));
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().check == "clock.agreement");
        BOOST_TEST(w.stored() == before);
        BOOST_TEST(w.ca.asked == 0);

        BOOST_TEST(w.accept(w.clock_agreement).agree);
        const auto audits = w.audits("clock.accepted");
        BOOST_TEST_REQUIRE(audits.size() == 1U);
        BOOST_TEST(w.submit(w.request({"www.corp.example"})).has_value());
    }
}

BOOST_AUTO_TEST_CASE(an_acceptance_outlives_a_restart) {
    Clocks w;
    w.pass(1min);
    w.clock.step(-24h * 3652);
    BOOST_TEST(!w.restarted()->check());
    BOOST_TEST(w.accept(w.clock_agreement).agree);
    BOOST_TEST(w.restarted()->check().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_accepted_or_audited_where_they_agree) {
    Clocks w;
    BOOST_TEST(w.accept(w.clock_agreement).agree);
    BOOST_TEST(w.audits("clock.accepted").empty());
}

BOOST_AUTO_TEST_CASE(a_start_may_find_a_later_time_but_not_an_earlier_one_than_the_store) {
    Clocks w;
    w.pass(24h);
    w.clock.step(24h * 365);  // the machine was off for a year
    BOOST_TEST(w.restarted()->check().has_value());
    w.clock.step(-24h * 365 - 5min);
    BOOST_TEST(w.restarted()->check().has_value());
    w.clock.step(-1s);
    const auto behind = w.restarted();
    const auto checked = behind->check();
    BOOST_REQUIRE(!checked);
    BOOST_TEST(checked.error().check == "clock.agreement");
    // Time goes on from the store's newest, and never back.
    BOOST_TEST((behind->now() == behind->state().store));
    w.clock.advance(1min);
    BOOST_TEST((behind->now() == behind->state().store + 1min));
    w.clock.advance(10min);  // the wall clock catches up with what the store knows, not with what passed since
    BOOST_TEST(!behind->check());
}

BOOST_AUTO_TEST_CASE(an_audit_row_says_what_time_it_was_too) {
    Clocks w;
    w.clock.advance(2h);
    static_cast<void>(w.submit(w.request({"www.corp.example"})).value());  // two hours after the last stamp
    w.clock.step(-1h);
    BOOST_TEST(!w.restarted()->check());
    w.clock.step(1h);
    BOOST_TEST(w.restarted()->check().has_value());
}

BOOST_AUTO_TEST_CASE(as_a_clock_it_is_held_while_in_doubt) {
    Clocks w;
    const auto before = w.clock_agreement.now();
    w.clock.step(1h);
    BOOST_TEST((w.clock_agreement.now() == before));
    w.clock.advance(30s);
    BOOST_TEST((w.clock_agreement.now() == before + 30s));
    w.accept(w.clock_agreement);
    BOOST_TEST((w.clock_agreement.now() == w.clock.now()));
}

BOOST_AUTO_TEST_CASE(a_start_in_doubt_raises_the_alarm) {
    Clocks w;
    BOOST_TEST(w.metric() == 1);
    w.pass(1h);
    w.clock.step(-1h);
    const auto behind = w.restarted();
    BOOST_TEST(w.metric() == 0);
    BOOST_TEST(w.restarted()->state().reason.find("the store holds a record of") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_intent_is_not_settled_while_in_doubt) {
    Clocks w;
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.request({"www.corp.example"})), std::runtime_error);
    w.ca.mode = ScriptedCa::Mode::ok;
    w.clock.advance(10min);
    w.clock.step(1h);
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.enrollments().at(0).status == "submitted");
    w.accept(w.clock_agreement);
    BOOST_TEST(w.run(w.sweeper.start()) == 1U);
}

// Against the clock of a database server. Each node judges its own.

namespace {

struct TwoNodes : Clocks {
    TwoNodes() {
        db.database_clock = [this] { return clock.now() + database_ahead; };
        run(clock_agreement.open());
    }
    struct Node {
        Node(TwoNodes& w, std::string name, std::chrono::milliseconds ahead)
            : own(w.clock.now() + ahead), agreement(ra::ClockAgreement::Deps{w.db, w.numbers, own, w.log, w.metrics, std::move(name)}) {}
        core::FakeClock own;
        ra::ClockAgreement agreement;
    };
    std::unique_ptr<Node> node(std::string name, std::chrono::milliseconds ahead = 0ms) {
        return std::make_unique<Node>(*this, std::move(name), ahead);
    }
    void pass(Node& node, std::chrono::milliseconds time) {
        node.own.advance(time);
        run(node.agreement.look());
    }
    std::string stamp() { return read(store::setting_get, store::values("clock.stamp")).at(0).text(0); }
    std::chrono::milliseconds database_ahead{0};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_node_that_is_off_the_databases_clock_does_not_start_and_writes_nothing) {
    TwoNodes w;
    for (const auto way : {1, -1}) {
        const auto good = w.node("good", way * 5min), bad = w.node("bad", way * (5min + 1ms));
        const auto before = w.stamp();
        BOOST_CHECK_EXCEPTION(w.run(bad->agreement.open()), std::runtime_error, [](const auto& e) {
            const std::string what = e.what();
            return what.find("more than five minutes apart") != std::string::npos && what.find("postern clock accept") != std::string::npos;
        });
        BOOST_TEST(w.stamp() == before);
        w.run(good->agreement.open());
        BOOST_TEST(good->agreement.check().has_value());
        BOOST_TEST(w.stamp() == before);
    }
}

BOOST_AUTO_TEST_CASE(no_nodes_clock_stops_another_one) {
    TwoNodes w;
    const auto healthy = w.node("healthy", -4min), ahead = w.node("ahead", 4min);
    w.run(healthy->agreement.open());
    w.run(ahead->agreement.open());
    for (int minute = 0; minute < 3; ++minute) {
        w.clock.advance(1min);
        w.pass(*ahead, 1min);
        w.pass(*healthy, 1min);
        BOOST_TEST((ahead->agreement.check().has_value() && healthy->agreement.check().has_value()));
    }
    // One jumps: it stops, nothing it knows is stored, and the other goes on.
    const auto before = w.stamp();
    ahead->own.step(1h);
    w.pass(*ahead, 1min);
    BOOST_TEST(!ahead->agreement.check());
    BOOST_TEST(!ahead->agreement.state().agree);
    BOOST_TEST(w.stamp() == before);
    w.clock.advance(1min);
    w.pass(*healthy, 1min);
    BOOST_TEST(healthy->agreement.check().has_value());
    // Also where it starts again, and where a stamp of the future was left by whoever looked at its own clock alone.
    w.execute(store::setting_update, store::values("clock.stamp", std::to_string(core::to_ms(w.clock.now() + 1h))));
    w.clock.advance(1min);
    w.pass(*healthy, 1min);
    BOOST_TEST(healthy->agreement.check().has_value());
    BOOST_TEST(w.stamp() == std::to_string(core::to_ms(w.clock.now())));
    const auto again = w.node("healthy", -4min);
    w.run(again->agreement.open());
    BOOST_TEST(again->agreement.check().has_value());
}

BOOST_AUTO_TEST_CASE(a_machine_that_stood_still_with_all_its_clocks_is_found_out) {
    TwoNodes w;
    const auto node = w.node("node");
    w.run(node->agreement.open());
    w.clock.advance(1h);
    BOOST_TEST(node->agreement.check().has_value());  // nobody knows yet
    w.pass(*node, 10s);
    const auto state = node->agreement.state();
    BOOST_TEST(!state.agree);
    BOOST_TEST((state.apart == -1h + 10s));
    BOOST_TEST(state.reason.find("the database's clock says") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stamp_that_another_node_wrote_meanwhile_stays) {
    TwoNodes w;
    const auto node = w.node("node");
    w.run(node->agreement.open());
    w.clock.advance(1min);
    const auto newer = std::to_string(core::to_ms(w.clock.now()) + 1);
    w.db.hook_at = &store::setting_replace;
    w.db.hook = [&]() -> core::Task<void> {
        store::Batch batch;
        batch.add(store::setting_update, store::values("clock.stamp", newer));
        const auto written = co_await w.db.write(std::move(batch));
        BOOST_TEST(written.has_value());
    };
    w.pass(*node, 1min);
    BOOST_TEST(w.stamp() == newer);
}

BOOST_AUTO_TEST_CASE(where_the_databases_clock_is_wrong_an_acceptance_holds_until_it_is_right) {
    TwoNodes w;
    w.database_ahead = 1h;
    const auto refused = w.node("node");
    BOOST_CHECK_THROW(w.run(refused->agreement.open()), std::runtime_error);
    // The verb opens the house all the same; until it has accepted, nothing is dated by the one or believed.
    const auto verb = w.node("node");
    w.run(verb->agreement.open(ra::ClockAgreement::Apart::doubt));
    BOOST_TEST(!verb->agreement.check());
    BOOST_TEST((verb->agreement.now() == w.clock.now() + 1h));
    BOOST_TEST(w.accept(verb->agreement).agree);
    const auto node = w.node("node");
    w.run(node->agreement.open());
    BOOST_TEST(node->agreement.check().has_value());
    BOOST_TEST((node->agreement.now() == w.clock.now()));
    // It was accepted here alone.
    const auto other = w.node("other");
    BOOST_CHECK_THROW(w.run(other->agreement.open()), std::runtime_error);
    // Set right, it agrees by itself, and a wall clock that is wrong by as much does not pass for accepted.
    w.database_ahead = 0ms;
    w.clock.advance(1min);
    w.pass(*node, 1min);
    BOOST_TEST(node->agreement.check().has_value());
    const auto behind = w.node("node", -1h);
    BOOST_CHECK_THROW(w.run(behind->agreement.open()), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
