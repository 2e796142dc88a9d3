#include "ca/content.hpp"
#include "ra/approvals.hpp"
#include "ra/enrollment_steps.hpp"
#include "tests/unit/ra/approvals_world.hpp"

/// What becomes of an officer's yes: to what it is bound, and that it is carried out once, whatever happens in between.
BOOST_AUTO_TEST_SUITE(ra_approved_issue)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

constexpr store::Statement other_requester{"test_other_requester", "UPDATE enrollment SET requester = $2 WHERE id = $1"};
constexpr store::Statement other_csr{"test_other_csr", "UPDATE enrollment SET csr = $2 WHERE id = $1"};

std::string changed(std::string text, std::string_view from, std::string_view to) { return text.replace(text.find(from), from.size(), to); }

/// What may change between asking and issuing, and what the officer reads of it then.
struct Change {
    std::string what;
    std::function<void(Officers&)> make;
};
const std::vector<Change>& changes() {
    static const std::string kept = officers_documents("approval = \"officer\"", "", "\"keep\"");
    const auto csr_of = [](Officers& w, const crypto::PrivateKey& key, const std::string& name) {
        std::vector<crypto::GeneralName> names;
        names.emplace_back(crypto::GeneralNameType::dns, name);
        w.execute(other_csr, store::values(w.row().id, crypto::Csr::parse(crypto::make_csr(key, {}, names)).value().kept()));
    };
    static const std::vector<Change> all{
        {"subject", [](Officers& w) { w.reapply(changed(kept, "Acme Corporation", "Acme Holding")); }},
        {"subject, names", [=](Officers& w) { csr_of(w, w.leaf_key, "other.corp.example"); }},
        {"key", [=](Officers& w) { csr_of(w, crypto::PrivateKey::generate(crypto::KeySpec()), "phone.corp.example"); }},
        {"profile, extendedKeyUsage", [](Officers& w) { w.reapply(changed(kept, "approval = \"officer\"", "approval = \"officer\"\nextended_key_usage = [\"serverAuth\", \"clientAuth\"]")); }},
        {"profile, keyUsage", [](Officers& w) { w.reapply(changed(kept, "approval = \"officer\"", "approval = \"officer\"\nkey_usage = [\"digitalSignature\", \"keyAgreement\"]")); }},
        {"term, profile", [](Officers& w) { w.reapply(changed(kept, "\"30d\"", "\"20d\"")); }},
        {"profile", [](Officers& w) { w.reapply(changed(kept, "approval = \"officer\"", "approval = \"officer\"\ndescription = \"new\"")); }},
        {"profile, backend", [](Officers& w) { w.reapply(changed(kept, "\"scripted\"", "\"builtin\"")); }},
        {"requester", [](Officers& w) { w.execute(other_requester, store::values(w.row().id, "T9")); }},
    };
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(everything_that_it_resolves_to_is_in_the_hash_and_no_time) {
    ca::Content content;
    content.profile = core::ProfileId(1);
    content.profile_version = 1;
    content.key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    const auto first = ra::content_hash(content, "builtin", "client", "2592000 s");
    auto later = content;
    later.not_before += 24h;
    later.not_after += 24h;
    BOOST_TEST((ra::content_hash(later, "builtin", "client", "2592000 s") == first));
    std::vector<ca::Content> others(9, content);
    others[0].profile = core::ProfileId(2);
    others[1].profile_version = 2;
    others[2].subject.entries.emplace_back(crypto::DnAttribute::common_name, "x");
    others[3].names.emplace_back(crypto::GeneralNameType::dns, "x");
    others[4].key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    others[5].key_usage.push_back(crypto::KeyUsageBit::key_agreement);
    others[6].extended_key_usage.emplace_back("1.3.6.1.5.5.7.3.2");
    others[7].must_staple = true;
    others[8].security_identifier = "S-1-5-21-1-2-3-500";
    for (const auto& other : others) BOOST_TEST((ra::content_hash(other, "builtin", "client", "2592000 s") != first));
    auto parameters = content;
    parameters.parameters.emplace_back("template", "web");
    BOOST_TEST((ra::content_hash(parameters, "builtin", "client", "2592000 s") != first));
    BOOST_TEST((ra::content_hash(content, "other", "client", "2592000 s") != first));
    BOOST_TEST((ra::content_hash(content, "builtin", "another", "2592000 s") != first));
    BOOST_TEST((ra::content_hash(content, "builtin", "client", "2592001 s") != first));
}

BOOST_DATA_TEST_CASE(whatever_changes_after_it_was_asked_voids_the_approval, engines(), engine) {
    for (const auto& change : changes()) BOOST_TEST_CONTEXT(change.what) {
        Officers w(engine);
        w.waits(w.device());
        const auto seen = w.row().content_hash;
        change.make(w);
        const auto done = w.decide(true).value();
        BOOST_TEST(done.enrollment.status == "pending_approval");
        BOOST_TEST((w.ca.asked == 0 && w.certificates().empty() && w.row().content_hash != seen && w.row().serial.empty()));
        BOOST_TEST(w.row().pending_reason == "an officer must approve the request: since it was approved this has changed: " + change.what);
        BOOST_TEST((!done.approval->decision && done.approval->decided_hash.empty() && w.counted("void")));
        const auto audits = w.audits("request.approval_void");
        BOOST_TEST_REQUIRE(audits.size() == 1U);
        BOOST_TEST((audits[0].text(1) == "refused" && audits[0].text(2) == "approval.content"));
        BOOST_TEST(contains(audits[0].text(3), "\"changed\":\"" + change.what + "\",\"approvedBy\":\"principal bob\",\"approvedHash\":\"" + core::hex(seen)));

        // What was seen before is no yes to what it is now.
        check_refused(w.decide(true, "", officer("bob"), seen), ProblemKind::conflict, "resolves to something else than you saw; look at it again");
        BOOST_TEST(w.approve() == "issued");
        BOOST_TEST(w.certificates().size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(time_alone_voids_nothing) {
    Officers w("sqlite");
    w.waits(w.device());
    w.clock.advance(24h * 6);
    BOOST_TEST(w.approve() == "issued");
    const auto c = w.certificates().at(0);
    BOOST_TEST((c.not_before == w.clock.now() - 1min && c.not_after - c.not_before == 30 * 24h - 1s));
}

BOOST_AUTO_TEST_CASE(dates_that_the_client_asked_for_stay_its_own) {
    Officers w("sqlite");
    auto r = w.device();
    const auto end = w.clock.now() + 24h * 20;
    r.not_before = w.clock.now();
    r.not_after = end;
    w.waits(std::move(r));
    BOOST_TEST(contains(w.approval().content, "\"term\":\"from 2027-01-15T08:00:00Z to 2027-02-04T08:00:00Z\""));
    w.clock.advance(24h * 3);
    BOOST_TEST(w.approve() == "issued");
    const auto c = w.certificates().at(0);
    BOOST_TEST((c.not_after == end && c.not_before == w.clock.now() - 1min));
}

BOOST_DATA_TEST_CASE(policy_speaks_again_when_it_is_issued, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.reapply(officers_documents("approval = \"officer\"", "", "\"keep\"\nenabled = false"));
    const auto done = w.decide(true).value();
    BOOST_TEST((done.enrollment.status == "invalid" && !done.enrollment.attempt_bound && !done.approval->due));
    BOOST_TEST(contains(*done.enrollment.problem, "account.active"));
    const auto audits = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST((audits[0].text(2) == "account.active" && w.ca.asked == 0));
}

BOOST_AUTO_TEST_CASE(a_key_that_was_blocked_meanwhile_gets_nothing) {
    Officers w("sqlite");
    w.waits(w.device());
    ra::BlockedKeys::Order order;
    const auto digest = w.leaf_key.public_key().spki_sha256();
    order.digests.emplace_back(digest.begin(), digest.end());
    order.reason = "stolen";
    order.source = "test";
    order.expected = 1;
    BOOST_TEST(w.run(w.blocked_keys.block(order, administrator(), core::RequestId("blockrequest0000"))).has_value());
    const auto done = w.decide(true).value();
    BOOST_TEST((done.enrollment.status == "invalid" && contains(*done.enrollment.problem, "key.blocked") && w.ca.asked == 0));
}

BOOST_DATA_TEST_CASE(what_was_approved_is_issued_though_the_process_ended, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.db.away_at = &store::enrollment_approved_intent;  // the yes is durable, and nothing after it
    BOOST_TEST(w.approve() == "approved");
    w.db.away_at = nullptr;
    BOOST_TEST((w.round() == 0U && w.row().status == "approved"));  // who said yes may be at it
    w.clock.advance(4s);
    ra::Enrollment second(w.enrollment_deps());
    ra::Approvals other(w.approvals_deps(second, "node-1"));
    BOOST_TEST(w.run(other.round()) == 1U);
    BOOST_TEST((w.row().status == "issued" && w.certificates().size() == 1U && w.ca.asked == 1));
    BOOST_TEST(w.round() == 0U);
}

BOOST_DATA_TEST_CASE(of_two_nodes_one_issues, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    ra::Enrollment second(w.enrollment_deps());
    const auto id = w.row().id;
    w.db.hook_at = &store::enrollment_approved_intent;
    w.db.hook = [&]() -> core::Task<void> {
        const bool issued = co_await second.issue_approved(id);
        BOOST_TEST(issued);
    };
    BOOST_TEST(w.approve() == "issued");
    BOOST_TEST((w.ca.asked == 1 && w.certificates().size() == 1U && w.audits("enrollment.intent").size() == 1U));
    BOOST_TEST(!w.run(w.enrollment.issue_approved(id)));
}

BOOST_DATA_TEST_CASE(a_crash_after_the_intent_is_settled_under_the_same_approval, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.ca.mode = Mode::crash;
    BOOST_TEST(w.approve() == "submitted");
    const auto lost = w.row().serial;
    w.ca.mode = Mode::ok;
    w.run(w.sweeper.round());
    BOOST_TEST((w.row().status == "issued" && w.row().serial != lost && w.certificates().size() == 1U));
    BOOST_TEST((w.read(revocation_rows).at(0).blob(0) == lost));
}

/// An order of names without a challenge, whose CSR has them in another order. `proven`: the one that has one.
ra::EnrollmentRequest granted_order(Officers& w, std::string_view proven) {
    auto r = w.request({"www.corp.example", "mail.corp.example", "ftp.corp.example"});
    for (auto& e : r.evidence)
        if (ra::of_a_name(e.kind) && e.identifier != proven) e = ra::Evidence::granted("dns", e.identifier, "account team, without challenges", w.clock.now());
    auto names = *r.agreed_names;
    std::reverse(names.begin(), names.end());
    r.csr = crypto::Csr::parse(crypto::make_csr(w.leaf_key, {}, names)).value();
    return r;
}
std::string granting(std::string_view account_lines = "challenges = \"none\"") { return officers_documents("approval = \"officer\"", account_lines, "\"keep\""); }

BOOST_DATA_TEST_CASE(granted_names_are_issued_after_a_yes_and_after_a_crash, engines(), engine) {
    for (const std::string_view proven : {"mail.corp.example", ""}) BOOST_TEST_CONTEXT("proven: " << proven) {
        Officers w(engine);
        w.reapply(granting());
        w.waits(granted_order(w, proven));
        w.ca.mode = Mode::crash;
        BOOST_TEST(w.approve() == "submitted");
        w.ca.mode = Mode::ok;
        w.run(w.sweeper.round());
        BOOST_TEST((w.row().status == "issued" && w.certificates().size() == 1U));
        BOOST_TEST(w.certificates().at(0).names == w.row().names);
    }
}

BOOST_AUTO_TEST_CASE(a_grant_that_was_taken_back_is_no_evidence) {
    Officers w("sqlite");
    w.reapply(granting());
    w.waits(granted_order(w, "mail.corp.example"));
    w.reapply(granting(""));
    BOOST_TEST(w.approve() == "invalid");
    BOOST_TEST(contains(w.row().problem.value_or(""), "nobody proved control of it"), w.row().problem.value_or(""));
    BOOST_TEST(w.certificates().empty());
}

BOOST_DATA_TEST_CASE(a_crash_after_the_intent_asks_again_for_what_changed, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.ca.mode = Mode::crash;
    BOOST_TEST(w.approve() == "submitted");
    const auto lost = w.row().serial;
    w.reapply(changed(officers_documents("approval = \"officer\"", "", "\"keep\""), "Acme Corporation", "Acme Holding"));
    w.ca.mode = Mode::ok;
    w.run(w.sweeper.round());
    BOOST_TEST((w.row().status == "pending_approval" && w.row().serial.empty() && w.certificates().empty()));
    BOOST_TEST((w.read(revocation_rows).at(0).blob(0) == lost));
    BOOST_TEST(contains(w.audits("enrollment.settled").at(0).text(3), "\"asked_again\":true"));
    BOOST_TEST(w.approve() == "issued");
}

BOOST_AUTO_TEST_CASE(an_intent_of_before_waits_for_an_officer_whom_its_profile_wants_now) {
    Officers w("sqlite", "approval = \"none\"");
    w.ca.mode = Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.device()), std::runtime_error);
    w.reapply(officers_documents("approval = \"officer\"", "", "\"keep\""));
    w.ca.mode = Mode::ok;
    w.run(w.sweeper.round());
    BOOST_TEST((w.row().status == "pending_approval" && w.certificates().empty() && w.read(revocation_rows).size() == 1U));
    BOOST_TEST(w.approve() == "issued");
}

BOOST_DATA_TEST_CASE(a_ca_that_is_away_costs_no_approval, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    w.ca.mode = Mode::unavailable;
    BOOST_TEST(w.approve() == "approved");
    BOOST_TEST((w.row().serial.empty() && w.audits("enrollment.postponed").size() == 1U));
    w.clock.advance(29s);
    BOOST_TEST(w.round() == 0U);
    w.clock.advance(1s);
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.round() == 1U);
    BOOST_TEST((w.row().status == "issued" && w.certificates().size() == 1U));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_issued_for_its_time_ends) {
    Officers w("sqlite", "approval = \"officer\"\napproval_limit = \"1h\"");
    w.waits(w.device());
    w.gate.shut(ra::IssuingGate::Reason("restore.open", "not opened", 60s));
    BOOST_TEST(w.approve() == "approved");
    w.clock.advance(23h);
    BOOST_TEST((w.round() == 1U && w.row().status == "approved"));
    w.clock.advance(1h);
    BOOST_TEST((w.round() == 1U && w.row().status == "invalid" && !w.row().attempt_bound));
    BOOST_TEST((w.round() == 0U && w.ca.asked == 0));
}

BOOST_DATA_TEST_CASE(a_foreign_ca_takes_its_time_after_the_officer, engines(), engine) {
    Officers w(engine);
    w.reapply(changed(officers_documents("approval = \"officer\"", "", "\"keep\""), "\"scripted\"", "\"elsewhere\""));
    w.waits(w.device());
    w.foreign.at_issue = ForeignCa::pending("h-1");
    BOOST_TEST(w.approve() == "submitted");
    BOOST_TEST(std::holds_alternative<ra::PendingEnrollment>(w.submit(w.device()).value()));
    const ra::Poller::Deps deps{w.db, w.enrollment, w.revocation, w.tasks, w.clock, w.log, w.metrics, "node-1", w.lives};
    ra::Poller poller(deps);
    w.clock.advance(61s);
    BOOST_TEST(w.run(poller.round()) == 1U);
    BOOST_TEST((w.row().status == "issued" && w.foreign.submitted.begin()->second == 1));

    // Not a word of it got there: approved still.
    w.waits(w.device("T2", "second.corp.example"));
    w.foreign.at_issue = core::Problem(ProblemKind::unavailable, "no room");
    BOOST_TEST(w.approve() == "approved");
    BOOST_TEST(w.read(store::submission_by_enrollment, store::values(w.row().id)).empty());
    w.foreign.at_issue = ca::Outcome(ca::Issued());
    w.clock.advance(30s);
    BOOST_TEST((w.round() == 1U && w.row().status == "issued"));
}

BOOST_DATA_TEST_CASE(what_was_issued_waits_for_its_device, engines(), engine) {
    Officers w(engine);
    w.waits(w.device());
    BOOST_TEST(w.approve() == "issued");
    w.clock.advance(24h);
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.device()).value()));  // the first time that it is given out
    w.clock.advance(59min);
    BOOST_TEST(std::holds_alternative<ra::IssuedCertificate>(w.submit(w.device()).value()));
    w.clock.advance(2min);
    w.waits(w.device());
    BOOST_TEST(w.enrollments().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
