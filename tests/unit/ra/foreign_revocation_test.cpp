#include "tests/unit/ra/foreign_world.hpp"

/// Revocations that only a foreign CA can publish: what is asked of it, what is kept, and what an officer sees.
BOOST_AUTO_TEST_SUITE(foreign_revocation)

using namespace postern;
using namespace postern::test;

BOOST_DATA_TEST_CASE(a_compromised_key_is_blocked_though_the_ca_refuses, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::forbidden, "not on a Sunday");
    check_refused(w.revoke(ra::key_compromise), core::ProblemKind::forbidden, "not on a Sunday");
    BOOST_TEST((w.key_blocked() && w.certificates().at(0).status == "issued"));
    const auto blocked = w.audits("key.blocked");
    BOOST_TEST_REQUIRE(blocked.size() == 1U);
    BOOST_TEST((blocked[0].text(6) == "principal" && blocked[0].text(7) == "officer"));
    check_refused(w.submit(w.request({"corp.example"}, "order-2")), core::ProblemKind::bad_public_key, "blocked");
}

BOOST_DATA_TEST_CASE(a_graver_reason_replaces_the_one_that_was_asked_for, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::unavailable, "away");
    check_refused(w.revoke(0, "clerk"), core::ProblemKind::unavailable, "has not confirmed");
    BOOST_TEST(!w.key_blocked());
    for (int times = 0; times < 2; ++times) {
        check_refused(w.revoke(ra::key_compromise), core::ProblemKind::unavailable, "has not confirmed");
        BOOST_TEST(w.key_blocked());
        BOOST_TEST((w.wish()->reason == ra::key_compromise && w.wish()->actor == "officer"));
        BOOST_TEST(w.audits("key.blocked").size() == 1U);
    }
    check_refused(w.revoke(4, "clerk"), core::ProblemKind::unavailable, "has not confirmed");
    BOOST_TEST((w.wish()->reason == ra::key_compromise && w.wish()->actor == "officer"));
    w.foreign.at_revoke = core::Result<void>();
    w.clock.advance(2h);
    BOOST_TEST(w.run(w.asking.ask_due("elsewhere", 10)) == 1U);
    BOOST_TEST((w.foreign.reasons == std::vector<unsigned>{0, 1, 1, 1, 1}));
    BOOST_TEST(w.certificates().at(0).status == "revoked");
}

BOOST_DATA_TEST_CASE(a_revocation_is_kept_while_its_backend_is_gone, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.execute(move_certificates, store::values("default/removed"));
    const std::string why = "backend default/removed is not described now";
    check_refused(w.revoke(ra::key_compromise), core::ProblemKind::unavailable, why);
    BOOST_TEST((w.key_blocked() && w.audits("key.blocked").size() == 1U));
    // Neither lost nor said to be done, and an officer sees it: once, however often it is tried.
    BOOST_TEST_REQUIRE(w.wish().has_value());
    BOOST_TEST((w.wish()->reason == ra::key_compromise && w.wish()->last_error == why && w.certificates().at(0).status == "issued"));
    for (int times = 0; times < 3; ++times) {
        w.clock.advance(2h);
        BOOST_TEST(w.round() == 1U);
    }
    BOOST_TEST(w.alarmed("revocation_unasked"));
    const auto records = w.audits("certificate.revocation");
    BOOST_TEST_REQUIRE(records.size() == 1U);
    BOOST_TEST((records[0].text(1) == "failed" && records[0].text(2) == "backend.available" && contains(records[0].text(3), why)));
    BOOST_TEST(contains(w.metrics.scrape(), "postern_revocations_unconfirmed 1"));
    w.execute(move_certificates, store::values("elsewhere"));  // it is described again
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.certificates().at(0).status == "revoked" && !w.wish() && w.foreign.reasons.size() == 1U));
    w.round();
    BOOST_TEST(contains(w.metrics.scrape(), "postern_revocations_unconfirmed 0"));
}

BOOST_DATA_TEST_CASE(what_is_revoked_already_is_not_wished_for_again_of_a_backend_that_is_gone, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.revoke(4).value();
    w.execute(move_certificates, store::values("default/removed"));
    check_refused(w.revoke(ra::key_compromise), core::ProblemKind::already_revoked, "revoked already");
    BOOST_TEST((w.key_blocked() && !w.wish()));
}

BOOST_DATA_TEST_CASE(a_wish_whose_operation_is_declared_no_more_is_recorded_and_left_to_the_operator, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::unavailable, "away");
    check_refused(w.revoke(4), core::ProblemKind::unavailable, "has not confirmed");
    w.foreign.takes_revocations = false;
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 1U);
    const auto certificate = w.certificates().at(0);
    BOOST_TEST((certificate.status == "revoked" && certificate.revoked_reason == 4 && !w.wish()));
    BOOST_TEST(w.alarmed("revocation_unpublished"));
    const auto records = w.audits("certificate.revoked");
    BOOST_TEST_REQUIRE(records.size() == 1U);
    BOOST_TEST((records[0].text(6) == "principal" && records[0].text(7) == "officer"));
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_DATA_TEST_CASE(a_refusal_does_not_delete_a_wish_that_was_raised_meanwhile, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.foreign.at_revoke = core::Problem(core::ProblemKind::forbidden, "not for that reason");
    w.foreign.before_revoked = [&w, id = w.certificates().at(0).id]() -> core::Task<void> {
        store::Batch raise;
        raise.add(store::revocation_request_raise, store::values(id, ra::key_compromise, "principal", "officer", "revokerequest001"));
        const auto raised = co_await w.db.write(std::move(raise));
        BOOST_TEST(raised.has_value());
    };
    check_refused(w.revoke(4, "clerk"), core::ProblemKind::unavailable, "asked for again meanwhile");
    BOOST_TEST_REQUIRE(w.wish().has_value());
    BOOST_TEST((w.wish()->reason == ra::key_compromise && w.audits("certificate.revocation").empty()));
    w.foreign.at_revoke = core::Result<void>();
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.certificates().at(0).revoked_reason == ra::key_compromise && !w.wish()));
    BOOST_TEST((w.foreign.reasons == std::vector<unsigned>{4, 1}));
}

BOOST_DATA_TEST_CASE(a_wish_raised_while_the_ca_confirms_the_lesser_one_is_asked_for_and_ends, engines(), engine) {
    Elsewhere w(engine);
    w.issue({"corp.example"});
    w.foreign.before_revoked = [&w, id = w.certificates().at(0).id]() -> core::Task<void> {
        store::Batch raise;
        raise.add(store::revocation_request_raise, store::values(id, ra::key_compromise, "principal", "officer", "revokerequest001"));
        const auto raised = co_await w.db.write(std::move(raise));
        BOOST_TEST(raised.has_value());
    };
    BOOST_TEST(w.revoke(4, "clerk").has_value());
    BOOST_TEST_REQUIRE(w.wish().has_value());
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.foreign.reasons == std::vector<unsigned>{4, 1}));
    BOOST_TEST(!w.wish());
    w.clock.advance(2h);
    BOOST_TEST(w.round() == 0U);
}

BOOST_DATA_TEST_CASE(a_dead_ca_holds_up_nobody_elses_revocations, engines(), engine) {
    Elsewhere w(engine);
    ForeignCa other;
    w.backends.add("other", other);
    for (const auto* attempt : {"order-1", "order-2", "order-3"}) w.issue({"corp.example"}, attempt);
    const auto certificates = w.certificates();
    w.execute(move_certificate, store::values(certificates[2].id, "other"));
    w.foreign.at_revoke = other.at_revoke = core::Problem(core::ProblemKind::unavailable, "away");
    for (const auto& certificate : w.certificates())
        check_refused(w.run(w.asking.revoke(certificate, 4, ra::Actor("principal", "officer"), core::RequestId("revokerequest000"), core::deadline_in(10s))),
                      core::ProblemKind::unavailable, "has not confirmed");
    w.clock.advance(2h);
    other.at_revoke = core::Result<void>();
    // The first one's CA answers when the other's certificate is revoked, and never before.
    w.foreign.before_revoked = [&]() -> core::Task<void> {
        while (true) {
            auto id = store::values(certificates[2].id);
            const auto row = co_await store::read_one(w.db, store::certificate_by_id, std::move(id));
            if (store::CertificateRow::from(*row).status == "revoked") co_return;
            co_await core::sleep_for(5ms);
        }
    };
    w.foreign.at_revoke = core::Result<void>();
    auto looking = [](Elsewhere& of) -> core::Task<void> {
        of.tasks.spawn(co_await boost::asio::this_coro::executor, of.poller->run());
        const auto end = core::deadline_in(60s);
        for (;;) {
            auto none = store::values();
            const auto left = co_await store::read_one(of.db, store::revocation_request_count, std::move(none));
            if (left->integer(0) == 0) break;
            BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < end));
            co_await core::sleep_for(10ms);
        }
        of.tasks.cancel();
        const bool ended = co_await of.tasks.drained(core::deadline_in(10s));
        BOOST_TEST(ended);
    };
    w.run(looking(w));
    for (const auto& certificate : w.certificates()) BOOST_TEST(certificate.status == "revoked");
}

BOOST_AUTO_TEST_SUITE_END()
