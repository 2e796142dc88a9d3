#include "tests/unit/ra/foreign_world.hpp"

/// A CA that is not ours, as the registration authority sees it: what is recorded, by whom, and that it is asked once.
BOOST_AUTO_TEST_SUITE(foreign)

using namespace postern;
using namespace postern::test;

BOOST_DATA_TEST_CASE(an_answer_at_once_leaves_no_submission, engines(), engine) {
    Elsewhere w(engine);
    const auto issued = w.issue({"corp.example"});
    BOOST_TEST(issued.issuer_key_id == "foreign");
    BOOST_TEST((w.status() == "issued" && w.state().empty()));
    BOOST_TEST(w.run(ra::chain_of(w.db, w.backends, "elsewhere", "foreign")) == "CHAIN");
    // Another backend may have another root above the same issuer.
    BOOST_TEST(w.run(ra::chain_of(w.db, w.backends, "another", "foreign")).empty());
}

BOOST_DATA_TEST_CASE(pending_is_polled_when_it_is_due_until_it_is_decided, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h-1");
    w.foreign.at_poll = ForeignCa::pending("h-2");
    BOOST_TEST((w.wait().retry_after == 60s));
    BOOST_TEST((w.status() == "submitted" && w.state() == "pending"));
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.foreign.handle == "h-1");
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(61s);
    w.foreign.at_poll = core::Problem(core::ProblemKind::unavailable, "away");
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.foreign.handle == "h-2" && w.state() == "pending"));
    w.clock.advance(10min);
    w.foreign.at_poll = ca::Outcome(ca::Issued());
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "issued" && w.state().empty()));
    BOOST_TEST(w.audits("enrollment.pending").size() == 1U);  // not one a poll
    BOOST_TEST(w.audits("enrollment.issued").size() == 1U);
    BOOST_TEST(w.foreign.submitted.begin()->second == 1);
}

BOOST_DATA_TEST_CASE(of_two_nodes_one_polls, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = w.foreign.at_poll = ForeignCa::pending("h");
    w.wait();
    ra::Enrollment second(w.enrollment_deps());
    const auto other = w.poller_of(second, "node-2");
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.run(other->round()) == 0U);
    // Nor when the lease was lost on the way: a row that was read is taken by one.
    w.clock.advance(61s);
    const auto row = store::SubmissionRow::from(w.read(store::submission_due, store::values(w.clock.now(), 10)).at(0));
    BOOST_TEST(w.run(w.enrollment.ask(row)));
    BOOST_TEST(!w.run(second.ask(row)));
    BOOST_TEST(w.foreign.polled == 2);
}

BOOST_DATA_TEST_CASE(pending_for_ever_ends_with_an_officer, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = w.foreign.at_poll = ForeignCa::pending("h");
    w.wait();
    w.clock.advance(61min);
    w.round();
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
    BOOST_TEST(w.alarmed("unknown"));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "pending_limit"));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_requests_held 1"));
    // The attempt stays bound: the client's repeat is told, and nothing is handed over.
    BOOST_TEST((w.wait().retry_after == 1h));
    BOOST_TEST(w.foreign.submitted.size() == 1U);
}

BOOST_DATA_TEST_CASE(what_was_decided_before_the_limit_counts_after_it, engines(), engine) {
    // Nobody looked for a while: the CA had decided meanwhile.
    for (const bool refuses : {false, true}) {
        Elsewhere w(engine);
        w.foreign.at_issue = ForeignCa::pending("h");
        w.wait();
        ca::Refused refused;
        refused.reason = "not on a Sunday";
        if (refuses) w.foreign.at_poll = ca::Outcome(std::move(refused));
        w.clock.advance(24h);
        BOOST_TEST(w.round() == 1U);
        BOOST_TEST(w.foreign.polled == 1);
        BOOST_TEST((w.status() == (refuses ? "rejected" : "issued") && w.state().empty()));
    }
}

BOOST_DATA_TEST_CASE(a_ca_that_is_away_at_the_limit_was_asked_once_more, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.foreign.at_poll = core::Problem(core::ProblemKind::unavailable, "no route to it");
    w.wait();
    w.clock.advance(61min);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "unknown" && w.state() == "held" && w.foreign.polled == 1));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "(pending_limit), asked once more: no route to it"));
}

BOOST_DATA_TEST_CASE(a_backend_that_is_gone_leaves_its_requests_to_an_officer, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(rename_backend, store::values("default/removed"));
    w.clock.advance(24h * 6);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "submitted" && w.state() == "pending"));
    w.clock.advance(24h * 2);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "nobody can be asked: backend default/removed is not described now"));
    BOOST_TEST((w.alarmed("unknown") && w.foreign.polled == 0));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_DATA_TEST_CASE(a_disabled_backends_own_limit_counts, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(store::backend_insert, store::values(99, w.tenant(), "lab", "disabled", 1, R"({"kind":"command","argv":["/bin/true"],"trust_anchors":"x","pending_limit":"2h"})", w.clock.now(), w.clock.now(), "test"));
    w.apply("[[department]]\nname = \"next\"\norganization = \"acme\"\n").value();  // any change has the catalog read anew
    w.execute(rename_backend, store::values("default/lab"));
    w.clock.advance(1h);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(w.status() == "submitted");
    w.clock.advance(61min);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "unknown" && w.state() == "held"));
}

BOOST_DATA_TEST_CASE(absent_counts_once_the_command_has_surely_ended, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.foreign.at_find = ca::Outcome(ca::Absent());
    w.wait();
    BOOST_TEST(w.state() == "lost");
    w.clock.advance(2s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "submitted" && w.state() == "lost"));
    w.clock.advance(30s);
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(30s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "invalid" && w.state().empty()));
    BOOST_TEST((w.foreign.looked_up == 2 && w.foreign.submitted.begin()->second == 1));
}

BOOST_DATA_TEST_CASE(what_an_earlier_life_was_handing_over_is_looked_up, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.before_answer = []() -> core::Task<void> {
        throw std::runtime_error("the process ends here");
        co_return;
    };
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    BOOST_TEST(w.state() == "sent");
    BOOST_TEST(w.round() == 0U);
    w.run(w.poller_of(w.enrollment, "another")->start());
    BOOST_TEST(w.state() == "sent");
    w.run(w.poller_of(w.enrollment, "")->start());  // the world's enrollment has no name
    BOOST_TEST(w.state() == "lost");
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.status() == "issued" && w.foreign.submitted.begin()->second == 1));
}

BOOST_DATA_TEST_CASE(an_answer_after_it_was_given_up_is_on_record_and_not_delivered, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.times.find = false;
    ra::Enrollment second(w.enrollment_deps());
    const auto other = w.poller_of(second, "node-2");
    w.foreign.before_answer = [&]() -> core::Task<void> {
        w.clock.advance(10min);
        co_await other->round();
    };
    const auto late = w.submit(w.request({"corp.example"}));
    check_refused(late, core::ProblemKind::conflict, "settled elsewhere");
    BOOST_TEST((w.status() == "unknown" && w.certificates().empty()));
    BOOST_TEST(w.audits("enrollment.late_answer").size() == 1U);
    BOOST_TEST(w.alarmed("late_answer"));
}

BOOST_DATA_TEST_CASE(a_store_that_is_away_for_a_moment_costs_no_answer, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.before_answer = [&]() -> core::Task<void> {
        w.db.away_at = &store::submission_delete;
        const auto executor = co_await boost::asio::this_coro::executor;
        auto back = [](HookedDatabase& db) -> core::Task<void> {
            co_await core::sleep_for(50ms);
            db.away_at = nullptr;
        };
        w.tasks.spawn(executor, back(w.db));
    };
    BOOST_TEST(!w.issue({"corp.example"}).token.empty());
    BOOST_TEST(w.foreign.submitted.begin()->second == 1);
}

BOOST_DATA_TEST_CASE(an_unavailable_ca_gives_the_claim_back_and_leaves_nothing_open, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = core::Problem(core::ProblemKind::unavailable, "no turn");
    auto request = w.request({"corp.example"});
    bool released = false;
    request.release = [&](store::Batch&, core::EnrollmentId) { released = true; };
    check_refused(w.submit(std::move(request)), core::ProblemKind::unavailable, "no turn");
    BOOST_TEST((released && w.status() == "invalid" && w.state().empty()));
}

BOOST_DATA_TEST_CASE(what_somebody_declared_unknown_is_asked_for_no_more, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.execute(store::enrollment_unknown, store::values(w.enrollments().at(0).id, w.clock.now(), R"({"kind":"internal","detail":"restored"})"));
    w.clock.advance(61s);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.state() == "held" && w.foreign.polled == 0));
    w.clock.advance(24h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_DATA_TEST_CASE(the_sweeper_leaves_it_alone, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.clock.advance(24h);
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);
    BOOST_TEST((w.status() == "submitted" && w.foreign.submitted.begin()->second == 1));
}

BOOST_AUTO_TEST_SUITE_END()
