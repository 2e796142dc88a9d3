#include "ra/approvals.hpp"

#include "core/json/reader.hpp"
#include "ra/restoration.hpp"
#include "store/tables/credential_use.hpp"
#include "tests/unit/ra/approvals_world.hpp"

/// Who decides what, and what is recorded of it. What follows a yes: approved_issue_test.cpp.
BOOST_AUTO_TEST_SUITE(ra_approvals)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

constexpr store::Statement use_rows{"test_credential_uses_here", "SELECT state FROM credential_use ORDER BY enrollment_id"};

std::string used(World& w) {
    const auto rows = w.read(use_rows);
    return rows.empty() ? "" : rows.front().text(0);
}

}  // namespace

BOOST_DATA_TEST_CASE(a_request_waits_and_is_issued_after_the_yes, engines(), engine) {
    Officers w(engine);
    const auto wait = w.waits(w.device());
    BOOST_TEST((wait.reason == "an officer must approve the request" && wait.retry_after == 10s));
    BOOST_TEST((w.row().status == "pending_approval" && w.row().serial.empty() && w.row().issuer_key_id.empty() && w.row().attempt_bound));
    BOOST_TEST((w.ca.asked == 0 && w.certificates().empty()));
    const auto asked = w.audits("request.awaiting_approval");
    BOOST_TEST_REQUIRE(asked.size() == 1U);
    BOOST_TEST(contains(asked[0].text(3), R"({"check":"approval.officer","input":"profile server: officer","verdict":"needs_approval","reason":"profile server has an officer approve each request"})"));
    BOOST_TEST(contains(w.told("request.awaiting_approval"), "\"enrollment\":" + std::to_string(w.row().id.get())));
    const auto content = w.approval().content;
    for (const auto* part : {"\"subject\":\"CN=phone.corp.example,O=Acme Corporation,C=DE\"", "\"names\":\"phone.corp.example\"", "\"term\":\"2592000 s\"",
                             "\"profile\":\"server version 1\"", "\"backend\":\"scripted\"", "\"requester\":\"T1\"", "\"keyUsage\":\"digitalSignature\""})
        BOOST_TEST(contains(content, part), content << " lacks " << part);
    w.round();
    BOOST_TEST(contains(w.metrics.scrape(), "postern_approvals_waiting 1"));

    const auto done = w.decide(true, "known to me").value();
    BOOST_TEST((done.enrollment.status == "issued" && done.approval->decision == "approved" && done.approval->decided_by == "principal bob"));
    BOOST_TEST((done.approval->message == "known to me" && done.approval->decided == w.clock.now() && !done.approval->due));
    BOOST_TEST((w.certificates().size() == 1U && w.certificates()[0].serial == w.row().serial));
    const auto approved = w.audits("request.approved");
    BOOST_TEST_REQUIRE(approved.size() == 1U);
    BOOST_TEST((approved[0].text(6) + " " + approved[0].text(7) == "principal bob" && approved[0].text(8) == "decisionrequest0"));
    BOOST_TEST(contains(approved[0].text(3), "\"message\":\"known to me\""));
    BOOST_TEST((w.audits("enrollment.intent").size() == 1U && w.audits("enrollment.issued").size() == 1U));
    BOOST_TEST(contains(w.told("request.approved"), "\"by\":\"principal bob\""));
    BOOST_TEST(w.counted("approved"));
    w.round();
    BOOST_TEST(contains(w.metrics.scrape(), "postern_approvals_waiting 0"));
    const auto again = std::get<ra::IssuedCertificate>(w.submit(w.device()).value());
    BOOST_TEST((again.der == w.certificates().at(0).der));
    BOOST_TEST(w.enrollments().size() == 1U);

    // Under the enrollment's number, and the id of the device's request, all of it.
    for (const auto& reference : {std::to_string(w.row().id.get()), w.row().request.get()}) {
        const auto told = w.run(ra::explain(w.db, administrator(), reference)).value();
        for (const auto* part : {"request.awaiting_approval", "request.approved", "principal bob", "known to me", "enrollment.issued"}) BOOST_TEST(contains(told, part));
    }
}

BOOST_AUTO_TEST_CASE(the_accounts_word_counts_before_the_profiles) {
    Officers w("sqlite");
    w.reapply(officers_documents("approval = \"officer\"", "approval = \"none\"", "\"keep\""));
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.request({"corp.example"})).value()));
    w.reapply(officers_documents("approval = \"none\"", "approval = \"officer\"", "\"keep\""));
    w.waits(w.request({"corp.example"}, "order-2"));
    BOOST_TEST(contains(w.approval().trace, "account team has an officer approve each request"));
    w.reapply(officers_documents("approval = \"none\"", "approval = \"inherit\"", "\"keep\""));
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.request({"corp.example"}, "order-3")).value()));
    for (const auto& [lines, part] : {std::pair("approval = \"two officers\"", "approval: known here: none, officer"), std::pair("approval_limit = \"5s\"", "approval_limit: expected 1m to 366d")})
        check_refused(w.apply(officers_documents(lines, "", "\"keep\"")), ProblemKind::malformed, part);
    check_refused(w.apply(officers_documents("", "approval = \"perhaps\"", "\"keep\"")), ProblemKind::malformed, "approval: known here: none, officer, inherit");
}

BOOST_DATA_TEST_CASE(an_attempt_that_is_repeated_waits_once, engines(), engine) {
    Officers w(engine);
    const auto first = w.waits(w.device());
    BOOST_TEST((w.waits(w.device()).enrollment == first.enrollment));
    BOOST_TEST((w.enrollments().size() == 1U && w.audits("request.awaiting_approval").size() == 1U));
    BOOST_TEST((w.waits(w.device("T2", "other.corp.example")).enrollment != first.enrollment));
}

BOOST_AUTO_TEST_CASE(what_policy_or_lint_refuses_is_asked_of_nobody) {
    Officers w("sqlite");
    check_refused(w.submit(w.device("T1", "elsewhere.example")), ProblemKind::rejected_identifier, "elsewhere.example");
    w.ca.mode = ScriptedCa::Mode::refuse;
    check_refused(w.submit(w.device("T2")), ProblemKind::bad_content, "lint.validity");
    BOOST_TEST(w.enrollments().empty());
}

BOOST_DATA_TEST_CASE(a_declined_device_reads_why_and_may_be_approved_after_all, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    const auto done = w.decide(false, "not one of ours").value();
    BOOST_TEST((done.enrollment.status == "declined" && done.approval->decision == "declined"));
    const auto again = w.submit(w.device());
    BOOST_TEST_REQUIRE(!again.has_value());
    check_problem(again.error(), ProblemKind::forbidden, "approval.decision", "an officer declined the request: not one of ours");
    BOOST_TEST((w.audits("request.declined").size() == 1U && w.counted("declined")));
    BOOST_TEST(contains(w.told("request.declined"), "\"message\":\"not one of ours\""));
    check_refused(w.decide(false, "still not"), ProblemKind::conflict, "was declined by principal bob at ");
    BOOST_TEST(w.approve() == "issued");
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.device()).value()));
}

BOOST_AUTO_TEST_CASE(an_acme_order_stays_invalid) {
    Officers w("sqlite");
    w.waits(w.request({"corp.example"}));
    BOOST_TEST(w.decide(false, "no").value().enrollment.status == "declined");
    check_refused(w.decide(true), ProblemKind::conflict, "its ACME order is invalid, which is final; the client has to make a new one");
    BOOST_TEST(w.ca.asked == 0);
}

BOOST_DATA_TEST_CASE(nobody_decides_for_a_week, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.waits(w.device("T2", "second.corp.example"));
    w.decide(false, "no").value();
    w.clock.advance(24h * 7 - 1ms);
    BOOST_TEST((w.round() == 0U && w.enrollments()[0].status == "pending_approval"));
    w.clock.advance(1ms);
    BOOST_TEST(w.round() == 2U);
    const auto rows = w.enrollments();
    BOOST_TEST((rows[0].status == "rejected" && !rows[0].attempt_bound && contains(*rows[0].problem, "no officer decided the request in time")));
    BOOST_TEST((rows[1].status == "declined" && !rows[1].attempt_bound));
    BOOST_TEST((w.audits("request.lapsed").size() == 1U && w.counted("lapsed")));
    BOOST_TEST(contains(w.told("request.lapsed"), "\"enrollment\":" + std::to_string(rows[0].id.get())));
    BOOST_TEST(w.round() == 0U);
    check_refused(w.decide(true), ProblemKind::conflict, "could be decided until ");
    BOOST_TEST((w.waits(w.device()).enrollment != rows[0].id));
}

BOOST_AUTO_TEST_CASE(a_decision_comes_in_time_or_not_at_all) {
    Officers w("sqlite", "approval = \"officer\"\napproval_limit = \"1h\"");
    w.waits(w.device());
    w.clock.advance(1h);
    check_refused(w.decide(true), ProblemKind::conflict, "could be decided until ");  // whether a round came by or not
    check_refused(w.decide(false), ProblemKind::conflict, "could be decided until ");
    BOOST_TEST(w.ca.asked == 0);
}

BOOST_DATA_TEST_CASE(of_two_officers_one_decides, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    const auto first = w.row();
    w.db.hook_at = &store::approval_decided;
    w.db.hook = [&]() -> core::Task<void> {
        auto deciding = w.deciding(first, true, "me first", officer("carol"), first.content_hash);
        const auto other = co_await std::move(deciding);
        BOOST_TEST(other.value().enrollment.status == "issued");
    };
    check_refused(w.decide(false, "no"), ProblemKind::conflict, "was approved by principal carol at ");
    check_refused(w.decide(true), ProblemKind::conflict, "was approved by principal carol at ");
    BOOST_TEST((w.ca.asked == 1 && w.certificates().size() == 1U && w.audits("request.approved").size() == 1U && w.audits("request.declined").empty()));
}

/// A yes can take a no back, but not one that its officer never read: an ACME client has been told that it is final.
BOOST_DATA_TEST_CASE(a_yes_overrules_no_no_of_a_moment_ago, engines(), engine) {
    Officers w(engine);
    for (const auto& asked : {std::string("scep"), std::string("acme")}) {
        w.waits(asked == "scep" ? w.device() : w.request({"corp.example"}));
        const auto first = w.row();
        w.db.hook_at = &store::approval_decided;
        w.db.hook = [&]() -> core::Task<void> {
            auto deciding = w.deciding(first, false, "not this one", officer("carol"), first.content_hash);
            const auto other = co_await std::move(deciding);
            BOOST_TEST(other.value().enrollment.status == "declined");
        };
        check_refused(w.decide(true), ProblemKind::conflict, "was declined by principal carol at ");
        BOOST_TEST(w.row().status == "declined");
    }
    BOOST_TEST((w.ca.asked == 0 && w.audits("request.approved").empty()));
}

/// RFC 8894 §5.1: who writes to the RA of the CA to come asks that one, also where an officer is asked in between.
BOOST_DATA_TEST_CASE(the_ca_that_was_asked_is_kept, engines(), engine) {
    Officers w(engine);
    auto r = w.device();
    r.issuer_key_id = "ca-to-come";
    w.waits(std::move(r));
    BOOST_TEST((w.row().issuer_key_id.empty() && w.approval().issuer_key_id == "ca-to-come"));
    BOOST_TEST(w.approve() == "issued");
    BOOST_TEST(w.ca.content.issuer_key_id == "ca-to-come");
}

BOOST_AUTO_TEST_CASE(who_asked_for_it_decides_nothing) {
    Officers w("sqlite");
    auto r = w.device();
    r.asked_by = "principal bob";
    w.waits(std::move(r));
    const auto own = w.decide(true);
    BOOST_TEST_REQUIRE(!own.has_value());
    check_problem(own.error(), ProblemKind::forbidden, "approval.other_person", "bob had request 1 asked for; somebody else decides it");
    check_refused(w.decide(false), ProblemKind::forbidden, "somebody else decides it");
    const auto refusals = w.audits("request.decision_refused");
    BOOST_TEST_REQUIRE(refusals.size() == 2U);
    BOOST_TEST((refusals[0].text(1) == "refused" && refusals[0].text(2) == "approval.other_person" && refusals[0].text(7) == "bob"));
    BOOST_TEST((w.row().status == "pending_approval" && w.decide(true, "", officer("carol")).value().enrollment.status == "issued"));
}

BOOST_AUTO_TEST_CASE(another_tenants_is_not_there) {
    Officers w("sqlite");
    w.reapply("[[tenant]]\nname = \"second\"\n");
    const auto second = w.catalog.current()->tenant("second")->id;
    w.waits(w.device());
    check_refused(w.decide(true, "", officer("eve", second)), ProblemKind::not_found, "there is no request 1");
    BOOST_TEST(w.run(ra::list_requests(w.db, officer("eve", second), 0, 10, {})).empty());
    BOOST_TEST(w.decide(true, "", officer("bob", w.tenant())).value().enrollment.status == "issued");
}

BOOST_AUTO_TEST_CASE(a_message_is_one_line) {
    Officers w("sqlite");
    w.waits(w.device());
    check_refused(w.decide(false, ""), ProblemKind::malformed, "message: one line of 1 to 500 octets");
    check_refused(w.decide(false, std::string(501, 'x')), ProblemKind::malformed, "message: one line");
    check_refused(w.decide(true, "a\nb"), ProblemKind::malformed, "message: one line of up to 500 octets");
    BOOST_TEST(w.decide(false, std::string(500, 'x')).has_value());
}

BOOST_AUTO_TEST_CASE(what_needs_no_approval_is_not_approved) {
    Officers w("sqlite", "approval = \"none\"");
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.device()).value()));
    check_refused(w.decide(true), ProblemKind::conflict, "request 1 is issued and needs nobody's approval");
}

BOOST_DATA_TEST_CASE(open_requests_are_listed_by_status_and_found_by_request_id, engines(), engine) {
    Officers w(engine);
    const std::vector<std::string> names{"a.corp.example", "b.corp.example", "c.corp.example"};
    for (const auto& name : names) w.waits(w.device(name, name));
    w.decide(false, "no").value();
    const auto listed = [&](std::int64_t after, std::int64_t limit, std::optional<std::string> status) {
        ra::RequestFilter filter;
        filter.status = std::move(status);
        std::vector<std::int64_t> out;
        for (const auto& r : w.run(ra::list_requests(w.db, administrator(), after, limit, filter))) out.push_back(r.id.get());
        return out;
    };
    BOOST_TEST((listed(0, 10, {}) == std::vector<std::int64_t>{1, 2} && listed(0, 1, {}) == std::vector<std::int64_t>{1} && listed(1, 10, {}) == std::vector<std::int64_t>{2}));
    BOOST_TEST((listed(0, 10, "declined") == std::vector<std::int64_t>{3} && listed(0, 10, "approved").empty()));
    const auto request = w.enrollments()[0].request.get();
    const auto shown = w.run(ra::find_request(w.db, administrator(), request)).value();
    BOOST_TEST((shown.enrollment.id.get() == 1 && shown.approval.has_value()));
}

BOOST_DATA_TEST_CASE(a_credential_is_reserved_while_it_waits, engines(), engine) {
    Officers w(engine);
    const auto message = [&](const std::string& transaction) {
        auto r = w.device(transaction);
        r.single_use.emplace(core::Bytes(32, 0x5a), w.clock.now() + 24h);
        return r;
    };
    w.waits(message("T1"));
    BOOST_TEST(used(w) == "reserved");
    check_refused(w.submit(message("T2")), ProblemKind::forbidden, "the challenge was used before, by the same key");
    BOOST_TEST((w.waits(message("T1")).enrollment == w.row().id));
    w.clock.advance(24h * 7);
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST(used(w).empty());
    w.waits(message("T3"));
    BOOST_TEST(w.approve() == "issued");
    BOOST_TEST(used(w) == "consumed");
}

/// What narrows the alternative names narrows the common name, which is certified beside them where it is a host's.
BOOST_AUTO_TEST_CASE(names_that_a_credential_is_for_bind_the_common_name) {
    Officers w("sqlite", "approval = \"none\"");
    const auto asks = [&](std::string common_name) {
        auto r = w.device(common_name);
        crypto::DistinguishedName subject;
        subject.entries.emplace_back(crypto::DnAttribute::common_name, std::move(common_name));
        std::vector<crypto::GeneralName> names;
        names.emplace_back(crypto::GeneralNameType::dns, "phone.corp.example");
        r.csr = crypto::Csr::parse(crypto::make_csr(w.leaf_key, subject, names)).value();
        r.binding.emplace();
        r.binding->names = std::move(names);
        return w.submit(std::move(r));
    };
    const auto other = asks("admin.corp.example");
    BOOST_TEST_REQUIRE(!other.has_value());
    check_problem(other.error(), ProblemKind::forbidden, "challenge.binding", "the challenge is for other names than the common name has");
    BOOST_TEST(w.certificates().empty());
    BOOST_TEST((asks("Phone.corp.example").has_value() && asks("some phone").has_value()));
}

BOOST_AUTO_TEST_CASE(a_restored_installation_knows_no_approval) {
    Officers w("sqlite");
    w.waits(w.device());
    w.waits(w.device("T2", "second.corp.example"));
    w.decide(false, "no").value();
    store::Batch batch;
    w.run(ra::close_restored(w.db, w.numbers, batch, w.clock.now() - 1h, w.clock.now()));
    BOOST_TEST(w.run(w.db.write(std::move(batch))).has_value());
    for (const auto& e : w.enrollments()) BOOST_TEST((e.status == "invalid" && !e.attempt_bound && contains(*e.problem, "while the request waited for an officer; ask again")));
    check_refused(w.decide(true), ProblemKind::conflict, "and is invalid");
}

BOOST_AUTO_TEST_CASE(a_clock_in_doubt_decides_nothing) {
    Officers w("sqlite");
    w.run(w.clock_agreement.open());
    w.waits(w.device());
    w.clock.step(24h * 8);
    BOOST_TEST(w.round() == 0U);
    check_refused(w.decide(true), ProblemKind::unavailable, "clock");
    BOOST_TEST(w.row().status == "pending_approval");
}

BOOST_AUTO_TEST_SUITE_END()
