#include "store/tables/credential_use.hpp"
#include "tests/unit/ra/intune_world.hpp"

/// Requests of devices that Intune manages: what it vouches for is issued, once, and Intune hears of it.
BOOST_AUTO_TEST_SUITE(ra_intune)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr store::Statement kept_rows{"test_intune_rows", "SELECT enrollment_id FROM intune_request ORDER BY enrollment_id"};
constexpr store::Statement outbox_rows{"test_intune_outbox", "SELECT id, due_ms, body FROM outbox ORDER BY id"};
constexpr store::Statement use_rows{"test_intune_uses", "SELECT state, kept_until_ms FROM credential_use"};

void check_revoked(IntuneWorld& w) {
    const auto rows = w.certificates();
    BOOST_TEST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].status == "revoked");
    BOOST_TEST(*rows[0].revoked_reason == 5);
}

}  // namespace

BOOST_AUTO_TEST_CASE(validated_then_issued_then_told_then_given) {
    IntuneWorld w;
    auto wish = w.wish("the sealed challenge");
    const auto csr = wish.csr->der();
    w.intune.during_validation = [&] { BOOST_TEST(w.enrollments().empty()); };
    w.intune.during_success = [&] {
        const auto rows = w.enrollments();
        BOOST_TEST_REQUIRE(rows.size() == 1U);
        BOOST_TEST((rows[0].status == "issued" && rows[0].withheld));
    };
    const auto issued = w.enroll(std::move(wish));
    BOOST_TEST_REQUIRE(issued.has_value());
    BOOST_TEST(w.intune.asked_by.at(0) == "default/corp");
    BOOST_TEST((w.intune.validated.at(0).csr == csr && w.intune.validated.at(0).transaction_id == "T1"));
    BOOST_TEST_REQUIRE(w.intune.successes.size() == 1U);
    const auto& told = w.intune.successes[0];
    BOOST_TEST((told.csr == csr && told.transaction_id == "T1" && told.issuer_id == "0badcafe"));
    const auto row = w.certificates().at(0);
    BOOST_TEST((issued->der == row.der && told.expires == row.not_after));
    BOOST_TEST(!w.enrollments().at(0).withheld);
    // Nothing is left to tell, and of the challenge there is nothing but a digest.
    BOOST_TEST((w.read(kept_rows).empty() && w.read(outbox_rows).empty() && w.intune.failures.empty()));
    const auto uses = w.read(use_rows);
    BOOST_TEST_REQUIRE(uses.size() == 1U);
    BOOST_TEST((uses[0].text(0) == "consumed" && uses[0].time(1) == w.clock.now() + ra::IntuneEnrollment::remembered));
    BOOST_TEST(!contains(w.store_octets(), "the sealed challenge"));
    // What explain shows.
    const auto intent = w.audits("enrollment.intent").at(0).text(3);
    BOOST_TEST(contains(intent, "intune Success by azure account default/corp, activity the-validation"));
    BOOST_TEST(contains(w.audits("intune.notified").at(0).text(3), R"("transaction":"T1","released":true,"activity":"the-success")"));
}

BOOST_AUTO_TEST_CASE(invented_challenges_leave_so_many_rows) {
    constexpr int most = ra::Refusals::of_sealed.of_source;
    IntuneWorld w;
    const auto invent = [&](int number, std::string source) {
        w.intune.validations = {said("ChallengeDecodingError")};
        auto wish = w.wish("invented " + std::to_string(number));
        wish.source = std::move(source);
        check_refused(w.enroll(std::move(wish)), ProblemKind::forbidden, "ChallengeDecodingError");
        return w.audits("enrollment.refused").size();
    };
    for (int i = 0; i < most; ++i) BOOST_TEST(invent(i, "192.0.2.1") == std::size_t(i + 1));
    for (int i = 0; i < 10; ++i) BOOST_TEST(invent(most + i, "192.0.2.1") == std::size_t(most));
    BOOST_TEST(invent(most + 10, "192.0.2.2") == std::size_t(most + 1));
    w.clock.advance(ra::Refusals::of_sealed.source_again);
    invent(most + 11, "192.0.2.1");
    BOOST_TEST(contains(w.audits("enrollment.refused").back().text(3), R"("not_recorded_before":10)"));
}

BOOST_AUTO_TEST_CASE(whatever_intune_says_but_success_issues_nothing) {
    IntuneWorld w;
    w.intune.validations = {said("ChallengeExpired"), said("BrandNewCode"), away()};
    check_refused(w.enroll("one"), ProblemKind::forbidden, "ChallengeExpired");
    const auto other = w.enroll("two");
    check_problem(other.error(), ProblemKind::forbidden, "intune.BrandNewCode", "BrandNewCode");
    const auto nobody = w.enroll("three");
    check_problem(nobody.error(), ProblemKind::unavailable, "intune.unreachable", "Intune did not answer; ask again later");
    BOOST_TEST((w.enrollments().empty() && w.certificates().empty() && w.intune.successes.empty()));
    // A failure is told of what was validated only.
    BOOST_TEST((w.intune.failures.empty() && w.read(outbox_rows).empty() && w.read(kept_rows).empty()));
    const auto audits = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(audits.size() == 3U);
    BOOST_TEST((audits[0].text(2) == "intune.ChallengeExpired" && audits[0].text(4) + audits[0].text(5) == "scep_transactionT1"));
    BOOST_TEST(contains(audits[2].text(3), "nobody answers"));
    for (const auto& audit : audits) BOOST_TEST(contains(audit.text(3), "transaction T1 by azure account default/corp, activity the-validation"));
    // Each may come again.
    BOOST_TEST(w.enroll("one").has_value());
}

BOOST_AUTO_TEST_CASE(what_policy_refuses_after_intunes_yes_is_told_as_a_failure) {
    IntuneWorld w;
    auto wish = w.wish("sealed", "server-1");
    const auto csr = wish.csr->der();
    check_refused(w.enroll(std::move(wish)), ProblemKind::rejected_identifier, "the common name is none");
    BOOST_TEST(w.enrollments().empty());
    BOOST_TEST((w.intune.failures.empty() && w.read(kept_rows).size() == 1U));
    BOOST_TEST(!contains(w.store_octets(), "sealed challenge"));
    w.intune.failure_answers = {away()};
    BOOST_TEST(w.deliver(ra::intune_failure_kind) == 0U);
    w.clock.advance(5s);
    BOOST_TEST(w.deliver(ra::intune_failure_kind) == 1U);
    BOOST_TEST_REQUIRE(w.intune.failures.size() == 2U);
    const auto& told = w.intune.failures[1];
    BOOST_TEST((told.csr == csr && told.transaction_id == "T1" && told.hresult < 0));
    BOOST_TEST(contains(told.description, "the common name is none"));
    BOOST_TEST((w.intune.successes.empty() && w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
    // Once, under the transaction of the refusal.
    const auto audits = w.audits("intune.notified");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST((audits[0].text(1) == "done" && audits[0].text(4) + audits[0].text(5) == "scep_transactionT1"));
    BOOST_TEST((contains(audits[0].text(3), R"("told":"failure","transaction":"T1","why":"the common name is none)")));
}

BOOST_AUTO_TEST_CASE(a_failure_that_intune_does_not_take_is_recorded_as_that) {
    IntuneWorld w;
    check_refused(w.enroll(w.wish("sealed", "server-1")), ProblemKind::rejected_identifier, "the common name is none");
    w.intune.failure_answers = {said("BadRequest")};
    BOOST_TEST(w.deliver(ra::intune_failure_kind) == 1U);
    BOOST_TEST((w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
    const auto audits = w.audits("intune.notified");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST((audits[0].text(1) == "failed" && audits[0].text(2) == "intune.BadRequest"));
    BOOST_TEST(contains(audits[0].text(3), "not_taken"));
}

BOOST_AUTO_TEST_CASE(a_ca_that_fails_is_told_as_a_failure) {
    IntuneWorld w;
    w.ca.mode = ScriptedCa::Mode::unavailable;
    BOOST_TEST((w.enroll("sealed").error().kind == ProblemKind::unavailable));
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    BOOST_TEST(w.deliver(ra::intune_failure_kind) == 1U);
    BOOST_TEST((w.intune.failures.size() == 1U && w.intune.successes.empty()));
    const auto audit = w.audits("intune.notified").at(0);
    BOOST_TEST((audit.text(4) == "enrollment" && audit.text(5) == std::to_string(w.enrollments().at(0).id.get()) && audit.text(8) == w.enrollments().at(0).request.get()));
    // The challenge was given back.
    w.ca.mode = ScriptedCa::Mode::ok;
    BOOST_TEST(w.enroll("sealed").has_value());
}

BOOST_AUTO_TEST_CASE(what_intune_cannot_be_told_of_is_revoked_and_never_given) {
    IntuneWorld w;
    w.intune.success_answers = {away()};
    const auto first = w.enroll("sealed");
    check_problem(first.error(), ProblemKind::unavailable, "intune.notification", "it was revoked; a new challenge is needed");
    check_revoked(w);
    BOOST_TEST((w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
    const auto again = w.enroll("sealed");
    check_problem(again.error(), ProblemKind::forbidden, "intune.revoked", "was revoked");
    // A failure was not: a certificate was issued.
    BOOST_TEST((w.intune.failures.empty() && w.intune.validated.size() == 1U && w.certificates().size() == 1U));
    BOOST_TEST(w.enroll("another").has_value());
}

BOOST_AUTO_TEST_CASE(the_same_challenge_again_gives_the_same_certificate) {
    IntuneWorld w;
    const auto first = w.enroll("sealed").value();
    const auto again = w.enroll("sealed").value();
    const auto renamed = w.enroll(w.wish("sealed", "phone-1", "T2")).value();  // another transaction of the same key
    BOOST_TEST((first.der == again.der && first.der == renamed.der));
    BOOST_TEST((w.intune.validated.size() == 1U && w.intune.successes.size() == 1U));
    w.clock.advance(24h * 29);
    BOOST_TEST((w.enroll("sealed").value().der == first.der));
    w.clock.advance(24h * 2);
    const auto late = w.enroll("sealed");
    check_problem(late.error(), ProblemKind::forbidden, "intune.ended", "has expired");
}

BOOST_AUTO_TEST_CASE(a_challenge_of_another_key_raises_an_alarm) {
    IntuneWorld w;
    BOOST_TEST(w.enroll("sealed").has_value());
    w.device_key = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048"));
    const auto thief = w.enroll("sealed");
    check_problem(thief.error(), ProblemKind::forbidden, ra::single_use_check, "by another key");
    BOOST_TEST(w.intune.validated.size() == 1U);
    BOOST_TEST(contains(w.metrics.scrape(), "postern_alarms_total{alarm=\"challenge_reused\"} 1"));
    BOOST_TEST(w.certificates().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_challenge_counts_once_at_all_endpoints_together) {
    const std::string documents = std::string(intune_documents) + R"(
[[endpoint]]
name = "others"
protocol = "scep"
ra = "builtin"
profiles = ["phone"]

[[account]]
name = "others"
endpoint = "others"
method = "intune"
azure_account = "corp"
kind = "device"
common_names = ["phone-*"]
answer_within = "2s"
)";
    IntuneWorld w(documents);
    const auto& accounts = w.catalog.current()->intune_accounts;
    const auto other = std::find_if(accounts.begin(), accounts.end(), [](const ra::Account& a) { return a.name == "others"; });
    BOOST_TEST_REQUIRE((accounts.size() == 2U && other != accounts.end()));
    const auto elsewhere = [&, account = *other] {
        auto wish = w.wish("sealed");
        wish.account = account;
        wish.endpoint = account.endpoint;
        return w.enroll(std::move(wish));
    };
    auto first = w.wish("sealed");
    first.account = *std::find_if(accounts.begin(), accounts.end(), [](const ra::Account& a) { return a.name == "phones"; });
    first.endpoint = first.account.endpoint;
    BOOST_TEST(w.enroll(std::move(first)).has_value());
    // The same key has its certificate from the first, and nobody has two.
    check_problem(elsewhere().error(), ProblemKind::forbidden, ra::single_use_check, "at another endpoint");
    w.device_key = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048"));
    check_problem(elsewhere().error(), ProblemKind::forbidden, ra::single_use_check, "by another key");
    BOOST_TEST(contains(w.metrics.scrape(), "postern_alarms_total{alarm=\"challenge_reused\"} 1"));
    BOOST_TEST((w.certificates().size() == 1U && w.intune.validated.size() == 1U && w.intune.failures.empty()));
}

BOOST_AUTO_TEST_CASE(a_challenge_spelled_otherwise_is_the_same) {
    IntuneWorld w;
    BOOST_TEST(w.enroll("c2VhbGVkIQ==").has_value());
    w.device_key = crypto::PrivateKey::generate(*crypto::KeySpec::from("rsa-2048"));
    for (const auto* other : {"c2VhbGVkIQ== ", "c2Vh bGVkIQ==", "c2VhbGVkIQ", "c2VhbGVkIR=="})
        check_problem(w.enroll(other).error(), ProblemKind::forbidden, ra::single_use_check, "by another key");
    BOOST_TEST((w.certificates().size() == 1U && w.intune.validated.size() == 1U));
}

BOOST_AUTO_TEST_CASE(what_somebody_else_gave_up_is_nobodys) {
    IntuneWorld w;
    // This node stands still after it issued; the outbox of another tells Intune, which will not have it.
    w.intune.during_success = [] { throw std::runtime_error("the process stands still here"); };
    BOOST_CHECK_THROW(w.enroll("sealed"), std::runtime_error);
    w.intune.during_success = nullptr;
    w.intune.success_answers = {said("BrandNewCode")};
    w.clock.advance(8s);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    check_revoked(w);
    // And now it goes on.
    const auto told = w.run(w.notices.tell_success(w.enrollments().at(0).id, ra::IntuneNotices::By::request, core::deadline_in(5s)));
    BOOST_TEST_REQUIRE(!told.has_value());
    BOOST_TEST((told.error().kind == ProblemKind::conflict && w.intune.successes.size() == 2U));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_revoked_at_once_is_revoked_later) {
    IntuneWorld w;
    w.ca.can_revoke = false;
    w.intune.success_answers = {away(), said("BrandNewCode"), said("BrandNewCode")};
    check_problem(w.enroll("sealed").error(), ProblemKind::unavailable, "intune.notification", "it is withheld");
    BOOST_TEST((w.certificates().at(0).status == "issued" && w.enrollments().at(0).withheld));
    BOOST_TEST((w.read(kept_rows).size() == 1U && w.read(outbox_rows).size() == 1U));
    w.clock.advance(8s);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 0U);  // Intune's no is final, and it cannot be revoked yet
    BOOST_TEST(w.certificates().at(0).status == "issued");
    w.ca.can_revoke = true;
    w.clock.advance(8s);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    check_revoked(w);
    BOOST_TEST((w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
}

BOOST_AUTO_TEST_CASE(two_at_once_with_one_challenge_are_one) {
    IntuneWorld w;
    std::optional<core::Result<ra::IssuedCertificate>> other;
    // The second comes while Intune still looks at the first one's challenge.
    w.intune.during_validation = [&] {
        w.intune.during_validation = nullptr;
        core::Task<void> task = [](IntuneWorld& world, std::optional<core::Result<ra::IssuedCertificate>>& into) -> core::Task<void> {
            auto second = world.wish("sealed");
            into = co_await world.intune_enrollment.enroll(std::move(second));
        }(w, other);
        std::thread([&] { core::run_to_end(std::move(task)); }).join();
    };
    const auto first = w.enroll("sealed");
    BOOST_TEST_REQUIRE((first.has_value() && other && other->has_value()));
    BOOST_TEST((first->der == (*other)->der));
    BOOST_TEST((w.certificates().size() == 1U && w.intune.successes.size() == 1U && w.intune.failures.empty()));
    BOOST_TEST(w.read(outbox_rows).empty());
}

BOOST_AUTO_TEST_CASE(what_a_crash_left_untold_leaves_through_the_outbox) {
    IntuneWorld w;
    // It ends between the record of the certificate and Intune's answer.
    w.intune.during_success = [] { throw std::runtime_error("the process ends here"); };
    BOOST_CHECK_THROW(w.enroll("sealed"), std::runtime_error);
    BOOST_TEST(w.enrollments().at(0).withheld);
    w.intune.during_success = nullptr;
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 0U);  // whoever waits has its time first
    w.clock.advance(8s);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    BOOST_TEST((w.intune.successes.size() == 2U && w.intune.successes[0].csr == w.intune.successes[1].csr));
    BOOST_TEST((w.intune.successes[0].thumbprint == w.intune.successes[1].thumbprint));
    BOOST_TEST((!w.enrollments().at(0).withheld && w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
    const auto issued = w.enroll("sealed");
    BOOST_TEST_REQUIRE(issued.has_value());
    BOOST_TEST((issued->der == w.certificates().at(0).der));
}

BOOST_AUTO_TEST_CASE(what_stays_untold_for_too_long_is_revoked) {
    IntuneWorld w;
    w.intune.during_success = [] { throw std::runtime_error("the process ends here"); };
    BOOST_CHECK_THROW(w.enroll("sealed"), std::runtime_error);
    w.intune.during_success = nullptr;
    w.intune.success_answers = {away(), away()};
    w.clock.advance(8s);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 0U);
    BOOST_TEST(w.certificates().at(0).status == "issued");
    w.clock.advance(ra::IntuneNotices::withheld_limit);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    check_revoked(w);
    BOOST_TEST((w.read(kept_rows).empty() && w.read(outbox_rows).empty()));
    check_problem(w.enroll("sealed").error(), ProblemKind::forbidden, "intune.revoked", "was revoked");
}

BOOST_AUTO_TEST_CASE(a_lost_intent_is_settled_and_told) {
    IntuneWorld w;
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.enroll("sealed"), std::runtime_error);
    BOOST_TEST(w.enrollments().at(0).status == "submitted");
    w.ca.mode = ScriptedCa::Mode::ok;
    w.clock.advance(10min);
    BOOST_TEST(w.run(w.scep_sweeper.start()) == 1U);
    BOOST_TEST((w.enrollments().at(0).status == "issued" && w.enrollments().at(0).withheld && w.intune.successes.empty()));
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    BOOST_TEST((w.enroll("sealed").value().der == w.certificates().at(0).der));
    BOOST_TEST(w.intune.validated.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_lost_intent_that_policy_refuses_now_is_told_as_a_failure) {
    IntuneWorld w;
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.enroll("sealed"), std::runtime_error);
    w.ca.mode = ScriptedCa::Mode::refuse;
    w.clock.advance(10min);
    BOOST_TEST(w.run(w.scep_sweeper.start()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    BOOST_TEST(w.deliver(ra::intune_failure_kind) == 1U);
    BOOST_TEST((w.intune.failures.size() == 1U && w.intune.successes.empty() && w.read(kept_rows).empty()));
}

BOOST_AUTO_TEST_CASE(a_withheld_certificate_is_no_answer_to_the_same_attempt) {
    IntuneWorld w;
    w.intune.during_success = [&] {
        w.intune.during_success = nullptr;
        auto wish = w.wish("sealed");
        wish.deadline = core::deadline_in(300ms);
        std::thread([&] {
            const auto again = w.enroll(std::move(wish));
            check_problem(again.error(), ProblemKind::unavailable, "intune.underway", "still being worked on");
        }).join();
    };
    BOOST_TEST(w.enroll("sealed").has_value());
}

BOOST_AUTO_TEST_CASE(deliver_first_gives_before_intune_knows) {
    IntuneWorld w(std::string(intune_documents) + "deliver_first = true\n");
    w.intune.success_answers = {away()};
    BOOST_TEST(w.enroll("sealed").has_value());
    BOOST_TEST(w.intune.successes.empty());
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 0U);
    BOOST_TEST(w.certificates().at(0).status == "issued");
    w.clock.advance(1h);
    BOOST_TEST(w.deliver(ra::intune_success_kind) == 1U);
    BOOST_TEST((w.intune.successes.size() == 2U && w.certificates().at(0).status == "issued" && w.read(kept_rows).empty()));
}

BOOST_AUTO_TEST_SUITE_END()
