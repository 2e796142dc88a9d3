#include "store/tables/acme_account.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_settle)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

/// As the sweeper of another node would: it knows nothing of what this one works on.
core::Task<void> settle_elsewhere(ra::Enrollment& other, core::EnrollmentId id) {
    const auto settled = co_await other.settle(id, nullptr);
    BOOST_TEST((settled == ra::Enrollment::Settled::reissued));
}

/// A world in which the process ended between an intent and its outcome.
struct Crashed : World {
    explicit Crashed(bool asked_for_dates = false) {
        apply_standard();
        ca.mode = Mode::crash;
        auto r = request({"www.corp.example", "*.corp.example", "corp.example"});
        r.evidence[2].method = "dns-01";
        if (asked_for_dates) r.not_before = clock.now() + 24h, r.not_after = clock.now() + 72h;
        BOOST_CHECK_THROW(submit(std::move(r)), std::runtime_error);
        ca.mode = Mode::ok;
        BOOST_TEST(enrollments().at(0).status == "submitted");
        BOOST_TEST(certificates().empty());
        before = enrollments().at(0);
    }
    static std::string scope() {
        std::string text(standard_documents);
        return text.replace(text.find("secret ="), 0, "wildcard = true\n");
    }
    std::size_t settle() { return run(sweeper.start()); }
    void apply_standard() { static_cast<void>(apply(scope()).value()); }
    store::EnrollmentRow before;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_intent_without_outcome_is_issued_anew_and_its_serial_revoked) {
    Crashed w;
    w.clock.advance(10min);
    BOOST_TEST(w.settle() == 1U);
    const auto e = w.enrollments().at(0);
    BOOST_TEST((e.id == w.before.id));
    BOOST_TEST(e.status == "issued");
    BOOST_TEST(e.attempt_count == 2);
    BOOST_TEST((e.serial != w.before.serial));
    const auto certificates = w.certificates();
    BOOST_TEST_REQUIRE(certificates.size() == 1U);
    BOOST_TEST((certificates[0].enrollment == e.id && certificates[0].serial == e.serial));
    BOOST_TEST(certificates[0].names == R"(["www.corp.example","*.corp.example","corp.example"])");
    BOOST_TEST((certificates[0].not_after == w.before.not_after));
    const auto revoked = w.read(revocation_rows);
    BOOST_TEST_REQUIRE(revoked.size() == 1U);
    BOOST_TEST((revoked[0].blob(0) == w.before.serial));
    const auto audits = w.audits("enrollment.settled");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(6) + " " + audits[0].text(7) == "system sweeper");
    BOOST_TEST(audits[0].text(8) == w.before.request.get());
    BOOST_TEST(contains(audits[0].text(3), "\"voided_serial\":\"" + core::hex(w.before.serial) + "\""));
    BOOST_TEST(contains(audits[0].text(3), "\"serial\":\"" + core::hex(e.serial) + "\""));
    BOOST_TEST(w.audits("enrollment.issued").size() == 1U);

    BOOST_TEST(w.settle() == 0U);
    BOOST_TEST(w.certificates().size() == 1U);
    BOOST_TEST(w.read(revocation_rows).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_lint_that_finds_us_at_fault_pauses_the_profile_here_too) {
    Crashed w;
    w.ca.mode = Mode::wrong_template;
    BOOST_TEST(w.settle() == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    BOOST_TEST(w.certificates().empty());
    const auto audits = w.audits("profile.paused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(2) == "lint.subject_html");
    BOOST_TEST(audits[0].text(8) == w.before.request.get());
    BOOST_TEST(contains(w.metrics.scrape(), "postern_profiles_paused_total 1"));

    // Paused is paused, whoever found it.
    w.ca.mode = Mode::ok;
    const auto r = w.submit(w.request({"corp.example"}, "order-2"));
    BOOST_TEST_REQUIRE(!r.has_value());
    check_problem(r.error(), ProblemKind::unavailable, "profile.paused", "paused after a fault of its certificates (lint.subject_html)");
}

BOOST_AUTO_TEST_CASE(the_repeated_attempt_finds_what_was_settled) {
    Crashed w;
    w.settle();
    auto r = w.request({"www.corp.example", "*.corp.example", "corp.example"});
    const auto outcome = w.submit(std::move(r));
    BOOST_TEST_REQUIRE(!outcome.has_value());  // http-01 never proves the wildcard: policy still speaks first
    auto again = w.request({"www.corp.example", "*.corp.example", "corp.example"});
    again.evidence[2].method = "dns-01";
    BOOST_TEST((std::get<ra::IssuedCertificate>(w.submit(std::move(again)).value()).der == w.certificates().at(0).der));
}

BOOST_AUTO_TEST_CASE(the_dates_that_were_asked_for_stay) {
    Crashed w(true);
    w.settle();
    const auto c = w.certificates().at(0);
    BOOST_TEST((c.not_before == w.before.not_before && c.not_after == w.before.not_after));
    BOOST_TEST((c.not_after - c.not_before == 48h));
}

BOOST_AUTO_TEST_CASE(what_policy_refuses_today_ends_invalid_and_revoked) {
    Crashed w;
    auto text = Crashed::scope();
    text.replace(text.find("{generate = true}"), 17, "\"keep\"\nenabled = false");
    w.apply(text).value();
    BOOST_TEST(w.settle() == 1U);
    const auto e = w.enrollments().at(0);
    BOOST_TEST(e.status == "invalid");
    BOOST_TEST(!e.attempt_bound);
    BOOST_TEST(contains(e.problem.value(), "the account is disabled"));
    BOOST_TEST((w.read(revocation_rows).at(0).blob(0) == w.before.serial));
    const auto audits = w.audits("enrollment.settled");
    BOOST_TEST(audits.at(0).text(1) == "refused");
    BOOST_TEST(audits.at(0).text(2) == "account.active");
    BOOST_TEST(contains(audits.at(0).text(3), "\"verdict\":\"refuse\""));
    BOOST_TEST(w.ca.asked == 1);
    BOOST_TEST(w.settle() == 0U);
}

namespace {

/// An intent that an ACME account of the key asked for; the process ended before its outcome.
struct AskedByAccount : World {
    AskedByAccount() {
        apply_standard();
        auto row = store::AcmeAccountRow();
        row.id = store::AcmeAccountId(31);
        row.token = "acme-account-token-031";
        row.endpoint = catalog.current()->endpoint(ra::Protocol::acme, "web")->id;
        row.account = account();
        row.thumbprint = "thumbprint";
        row.jwk = "{}";
        row.status = "valid";
        row.contacts = "[]";
        row.binding = "{}";
        row.created = row.updated = clock.now();
        execute(store::acme_account_insert, row.insert_values());
        ca.mode = Mode::crash;
        auto r = request({"corp.example"});
        r.requester_key = key;
        r.evidence[0] = ra::Evidence(r.evidence[0]).resting_on("acme_account", 31, key.spki());
        BOOST_CHECK_THROW(submit(std::move(r)), std::runtime_error);
        ca.mode = Mode::ok;
        serial = enrollments().at(0).serial;
    }
    store::Batch deactivation() const {
        store::Batch batch;
        batch.add(store::acme_account_deactivate, store::values(31, clock.now()));
        return batch;
    }
    store::Batch block() const {
        store::Batch batch;
        ra::add_block(batch, crypto::fingerprints(key), "keyCompromise", "test", 1, clock.now());
        return batch;
    }
    void ends_without_certificate(std::string_view check) {
        const auto e = enrollments().at(0);
        BOOST_TEST(e.status == "invalid");
        BOOST_TEST(contains(e.problem.value(), check), e.problem.value());
        BOOST_TEST(certificates().empty());
        BOOST_TEST(ca.asked == 1);
        BOOST_TEST((read(revocation_rows).at(0).blob(0) == serial));
        BOOST_TEST(audits("enrollment.settled").at(0).text(2) == check);
    }
    store::Batch disabling() const {
        static constexpr store::Statement disable{"test_disable", "UPDATE account SET status = 'disabled', version = version + 1"};
        store::Batch batch;
        batch.add(disable, {}, store::Expect::any);
        return batch;
    }
    /// The change comes when it was judged already, at the very moment before the batch.
    void overtaken_by(store::Batch (AskedByAccount::*change)() const, std::string_view check) {
        db.hook_at = &store::enrollment_resubmit;
        db.hook = [this, change] { return write((this->*change)()); };
        BOOST_TEST(run(sweeper.start()) == 0U);
        BOOST_TEST(enrollments().at(0).status == "submitted");
        BOOST_TEST(run(sweeper.round()) == 1U);
        ends_without_certificate(check);
    }
    core::Task<void> write(store::Batch batch) {
        const auto written = co_await db.write(std::move(batch));
        static_cast<void>(written.value());
    }
    crypto::PublicKey key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    core::Bytes serial;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_intent_whose_requester_still_stands_is_issued_anew) {
    AskedByAccount w;
    BOOST_TEST(w.run(w.sweeper.start()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "issued");
}

BOOST_AUTO_TEST_CASE(who_was_deactivated_after_the_intent_gets_nothing) {
    AskedByAccount w;
    w.run(w.write(w.deactivation()));
    BOOST_TEST(w.run(w.sweeper.start()) == 1U);
    w.ends_without_certificate("requester.active");
}

BOOST_AUTO_TEST_CASE(whose_key_was_blocked_after_the_intent_gets_nothing) {
    AskedByAccount w;
    w.run(w.write(w.block()));
    BOOST_TEST(w.run(w.sweeper.start()) == 1U);
    w.ends_without_certificate("key.blocked");
}

BOOST_AUTO_TEST_CASE(a_requester_that_goes_while_the_sweeper_judges_gets_nothing) {
    AskedByAccount w;
    w.overtaken_by(&AskedByAccount::deactivation, "requester.active");
}

BOOST_AUTO_TEST_CASE(a_requesters_key_that_is_blocked_while_the_sweeper_judges_gets_nothing) {
    AskedByAccount w;
    w.overtaken_by(&AskedByAccount::block, "key.blocked");
}

BOOST_AUTO_TEST_CASE(an_account_that_is_disabled_while_the_sweeper_judges_gets_nothing) {
    AskedByAccount w;
    w.overtaken_by(&AskedByAccount::disabling, "account.active");
}

BOOST_AUTO_TEST_CASE(an_issuing_ca_that_was_withdrawn_elsewhere_leaves_it_for_the_next_round) {
    Crashed w;
    store::AuthorityRow issuing;
    issuing.key_id = issuing.issuer_id = w.before.issuer_key_id;
    issuing.kind = "issuing";
    w.execute(store::authority_insert, issuing.insert_values());
    w.execute(store::succession_insert, store::values(issuing.key_id, store::never_takes_over, w.clock.now()));
    BOOST_TEST(w.settle() == 0U);
    BOOST_TEST((w.enrollments().at(0).status == "submitted" && w.enrollments().at(0).serial == w.before.serial));
    BOOST_TEST(w.read(revocation_rows).empty());
    static constexpr store::Statement forget{"test_forget_succession", "DELETE FROM succession"};
    w.execute(forget);
    static_cast<void>(w.run(w.sweeper.round()));
    BOOST_TEST((w.enrollments().at(0).status == "issued" && w.enrollments().at(0).serial != w.before.serial));
}

/// A paused profile, a backend that is away: what will be possible again is no outcome.
BOOST_AUTO_TEST_CASE(what_cannot_be_judged_now_is_left_for_later) {
    Crashed w;
    const auto by = w.catalog.current();
    store::Batch batch;
    ra::add_pause(batch, *by->profile(by->tenant("default")->id, "server"), core::Problem(ProblemKind::internal, "a fault of its own", "lint.subject_html"),
                  w.before.request, w.clock.now());
    w.run(w.db.write(std::move(batch))).value();
    w.run(w.catalog.refresh());
    for (int round = 0; round < 2; ++round) {
        BOOST_TEST((round == 0 ? w.settle() : w.run(w.sweeper.round())) == 0U);
        BOOST_TEST(w.enrollments().at(0).status == "submitted");
        BOOST_TEST((w.enrollments().at(0).serial == w.before.serial));
        BOOST_TEST(w.read(revocation_rows).empty());
        BOOST_TEST(w.audits("enrollment.settled").empty());
    }
    w.run(w.profile_pauses.resume("default/server", administrator(), core::RequestId("resumerequest000"))).value();
    BOOST_TEST(w.run(w.sweeper.round()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "issued");
}

BOOST_AUTO_TEST_CASE(proofs_that_ran_out_meanwhile_are_not_used) {
    Crashed w;
    w.clock.advance(25h);
    BOOST_TEST(w.settle() == 1U);
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "expired at"));
}

BOOST_AUTO_TEST_CASE(an_intent_that_fails_again_ends_with_both_serials_accounted_for) {
    Crashed w;
    w.ca.mode = Mode::internal;
    BOOST_TEST(w.settle() == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    BOOST_TEST(w.read(revocation_rows).size() == 2U);
    BOOST_TEST(w.settle() == 0U);
}

BOOST_AUTO_TEST_CASE(an_intent_settled_by_another_node_is_left_alone) {
    Crashed w;
    ra::Enrollment other(w.enrollment_deps());
    w.db.hook_at = &store::enrollment_resubmit;
    w.db.hook = [&] { return settle_elsewhere(other, w.before.id); };
    BOOST_TEST(w.settle() == 0U);
    BOOST_TEST(w.certificates().size() == 1U);
    BOOST_TEST(w.read(revocation_rows).size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_outcome_that_comes_after_another_node_gave_up_its_serial_counts_no_more) {
    World w;
    w.apply_standard();
    ra::Enrollment other(w.enrollment_deps());
    core::EnrollmentId id;
    w.db.hook_at = &store::certificate_insert;  // signed, and about to be recorded
    w.db.hook = [&] {
        id = w.enrollments().at(0).id;
        return settle_elsewhere(other, id);
    };
    const auto outcome = w.submit(w.request({"corp.example"}));
    check_refused(outcome, ProblemKind::conflict, "settled elsewhere");
    const auto certificates = w.certificates();
    BOOST_TEST_REQUIRE(certificates.size() == 1U);
    BOOST_TEST((certificates[0].serial == w.enrollments().at(0).serial));
    BOOST_TEST((certificates[0].serial == w.ca.prepared.at(1)));
    BOOST_TEST((w.read(revocation_rows).at(0).blob(0) == w.ca.prepared.at(0)));
    // The next round sees that nothing is left to do.
    BOOST_TEST(w.run(w.sweeper.round()) == 0U);
    BOOST_TEST(w.enrollment.intents().left(10).empty());
    BOOST_TEST(w.certificates().size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_another_ca_numbered_is_never_resubmitted_blindly) {
    World w;
    w.apply_standard();
    w.ca.draws_serials = false;
    w.ca.mode = Mode::pending;
    BOOST_TEST(std::holds_alternative<ra::PendingEnrollment>(w.submit(w.request({"corp.example"})).value()));
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.enrollments().at(0).status == "submitted");
    BOOST_TEST(w.ca.asked == 1);
}

BOOST_AUTO_TEST_SUITE_END()
