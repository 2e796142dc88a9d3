#include "core/json/reader.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_enrollment)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

/// A world with the standard documents.
struct Ready : World {
    Ready() { apply_standard(); }
};

core::Task<void> execute_elsewhere(World& w, const store::Statement& statement, store::Values values) {
    store::Batch batch;
    batch.add(statement, std::move(values));
    const auto done = co_await w.db.write(std::move(batch));
    BOOST_TEST(done.has_value());
}

/// Stands for a front end's claim on its own row.
constexpr store::Statement claim{"test_claim", "UPDATE setting SET value = 'claimed' WHERE name = 'order' AND value = 'ready'"};
constexpr store::Statement release{"test_release", "UPDATE setting SET value = 'ready' WHERE name = 'order' AND value = 'claimed'"};
constexpr store::Statement order_insert{"test_order", "INSERT INTO setting (name, value) VALUES ('order', 'ready')"};
constexpr store::Statement order_state{"test_order_state", "SELECT value FROM setting WHERE name = 'order'"};

ra::EnrollmentRequest claiming(World& w) {
    auto r = w.request({"corp.example"});
    r.claim = [](store::Batch& batch, core::EnrollmentId) { batch.add(claim, {}); };
    r.release = [](store::Batch& batch, core::EnrollmentId) { batch.add(release, {}); };
    return r;
}

std::string member(const store::Row& audit, std::string_view name) {
    const auto document = json::Document::parse(audit.text(3)).value();
    const auto text = document.root()[name].string();
    return text ? std::string(*text) : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_that_policy_allows_becomes_a_recorded_certificate) {
    Ready w;
    auto request = w.request({"www.corp.example", "corp.example"});
    const auto id = request.id;
    const auto issued = std::get<ra::IssuedCertificate>(w.submit(std::move(request)).value());
    const auto leaf = crypto::Certificate::parse(issued.der).value();
    BOOST_TEST(leaf.subject().to_text() == "CN=www.corp.example,OU=it,O=Acme Corporation,C=DE");
    BOOST_TEST(leaf.alt_names().size() == 2U);
    BOOST_TEST(issued.token.size() == 22U);
    BOOST_TEST(issued.issuer_key_id == "0badcafe");

    const auto enrollments = w.enrollments();
    BOOST_TEST_REQUIRE(enrollments.size() == 1U);
    const auto& e = enrollments[0];
    BOOST_TEST((e.id == issued.enrollment && e.request == id));
    BOOST_TEST(e.status == "issued");
    BOOST_TEST(e.attempt_bound);
    BOOST_TEST(e.names == R"(["www.corp.example","corp.example"])");
    BOOST_TEST((e.serial == leaf.serial()));
    const auto tbs = crypto::sha256(leaf.tbs());
    BOOST_TEST((e.tbs_sha256 == core::Bytes(tbs.begin(), tbs.end())));
    BOOST_TEST((e.not_after == leaf.not_after() && e.not_before == leaf.not_before()));
    BOOST_TEST(e.requester == "client");
    BOOST_TEST((e.organization.has_value() && e.department.has_value()));
    BOOST_TEST(ra::evidence_from_json(e.evidence).size() == 3U);

    const auto certificates = w.certificates();
    BOOST_TEST_REQUIRE(certificates.size() == 1U);
    const auto& c = certificates[0];
    BOOST_TEST((c.id == issued.certificate && c.enrollment == e.id && c.der == issued.der));
    BOOST_TEST(c.status == "issued");
    BOOST_TEST(c.token == issued.token);
    BOOST_TEST(c.subject == leaf.subject().to_text());
    const auto digest = crypto::sha256(issued.der);
    BOOST_TEST((c.sha256 == core::Bytes(digest.begin(), digest.end())));

    const auto intents = w.audits("enrollment.intent");
    BOOST_TEST_REQUIRE(intents.size() == 1U);
    BOOST_TEST(intents[0].text(8) == id.get());
    BOOST_TEST(intents[0].text(5) == std::to_string(e.id.get()));
    BOOST_TEST(intents[0].text(6) + " " + intents[0].text(7) == "acme client");
    BOOST_TEST(member(intents[0], "serial") == core::hex(leaf.serial()));
    BOOST_TEST(contains(intents[0].text(3), R"({"check":"names.scope","input":"www.corp.example, corp.example","verdict":"pass"})"));
    BOOST_TEST(contains(intents[0].text(3), R"({"check":"content.lint","input":"scripted","verdict":"pass"})"));
    const auto done = w.audits("enrollment.issued");
    BOOST_TEST_REQUIRE(done.size() == 1U);
    BOOST_TEST(member(done[0], "serial") == core::hex(leaf.serial()));
    BOOST_TEST(done[0].integer(9) == w.tenant().get());
    BOOST_TEST(contains(w.metrics.scrape(), "postern_enrollments_total{result=\"issued\"} 1"));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_audited_with_its_trace_and_stores_no_enrollment) {
    Ready w;
    auto request = w.request({"www.other.test"});
    const auto id = request.id;
    const auto r = w.submit(std::move(request));
    BOOST_TEST_REQUIRE(!r.has_value());
    check_problem(r.error(), ProblemKind::rejected_identifier, "names.scope", "outside the scope of account team");
    BOOST_TEST(w.enrollments().empty());
    BOOST_TEST(w.ca.prepared.empty());
    const auto audits = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(1) == "refused");
    BOOST_TEST(audits[0].text(2) == "names.scope");
    BOOST_TEST(audits[0].text(8) == id.get());
    BOOST_TEST(contains(audits[0].text(3), R"("verdict":"refuse","reason":"www.other.test: outside)"));
    BOOST_TEST(contains(w.metrics.scrape(), "postern_enrollments_total{result=\"refused\"} 1"));
}

BOOST_AUTO_TEST_CASE(content_that_the_ca_refuses_is_refused_before_any_intent) {
    Ready w;
    w.ca.mode = Mode::refuse;
    const auto r = w.submit(w.request({"corp.example"}));
    BOOST_TEST_REQUIRE(!r.has_value());
    check_problem(r.error(), ProblemKind::bad_content, "lint.validity", "too long");
    BOOST_TEST(w.enrollments().empty());
    BOOST_TEST(w.ca.asked == 0);
    const auto audits = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(contains(audits[0].text(3), R"({"check":"content.lint","input":"scripted","verdict":"refuse","reason":"lint.validity: too long"})"));
}

BOOST_AUTO_TEST_CASE(where_surely_nothing_was_signed_the_claim_is_taken_back) {
    Ready w;
    w.execute(order_insert);
    w.ca.mode = Mode::unavailable;
    const auto r = w.submit(claiming(w));
    check_refused(r, ProblemKind::unavailable, "the signer is away");
    BOOST_TEST(w.read(order_state).at(0).text(0) == "ready");
    const auto enrollments = w.enrollments();
    BOOST_TEST_REQUIRE(enrollments.size() == 1U);
    BOOST_TEST(enrollments[0].status == "invalid");
    BOOST_TEST(!enrollments[0].attempt_bound);
    BOOST_TEST(contains(enrollments[0].problem.value(), "the signer is away"));
    BOOST_TEST(w.read(revocation_rows).empty());
    BOOST_TEST(w.certificates().empty());
    const auto audits = w.audits("enrollment.failed");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(member(audits[0], "signed") == "no");
    BOOST_TEST(audits[0].text(1) == "failed");

    // The client asks again, with the same attempt, and gets its certificate.
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.submit(claiming(w)).has_value());
    BOOST_TEST(w.read(order_state).at(0).text(0) == "claimed");
    BOOST_TEST(w.certificates().size() == 1U);
}

BOOST_AUTO_TEST_CASE(where_a_signature_may_exist_its_serial_is_listed_as_revoked) {
    Ready w;
    w.execute(order_insert);
    w.ca.mode = Mode::internal;
    check_refused(w.submit(claiming(w)), ProblemKind::internal, "the signer broke off");
    BOOST_TEST(w.read(order_state).at(0).text(0) == "claimed");
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    const auto revoked = w.read(revocation_rows);
    BOOST_TEST_REQUIRE(revoked.size() == 1U);
    BOOST_TEST((revoked[0].blob(0) == w.ca.prepared.at(0)));
    BOOST_TEST(member(w.audits("enrollment.failed").at(0), "signed") == "perhaps");
    BOOST_TEST(w.certificates().empty());
}

BOOST_AUTO_TEST_CASE(what_was_not_authorised_is_quarantined) {
    for (const auto mode : {Mode::other_content, Mode::garbage}) {
        Ready w;
        w.ca.mode = mode;
        const auto r = w.submit(w.request({"corp.example"}));
        check_refused(r, ProblemKind::internal, "not what had been authorised; it is kept for an officer");
        BOOST_TEST(w.certificates().empty());
        const auto enrollments = w.enrollments();
        BOOST_TEST(enrollments.at(0).status == "quarantined");
        BOOST_TEST(enrollments.at(0).attempt_bound);
        const auto audits = w.audits("enrollment.quarantined");
        BOOST_TEST_REQUIRE(audits.size() == 1U);
        BOOST_TEST(!core::from_base64(member(audits[0], "received")).value().empty());

        // Nothing is resubmitted behind the officer's back.
        w.ca.mode = Mode::ok;
        const auto again = w.submit(w.request({"corp.example"}));
        const auto* pending = std::get_if<ra::PendingEnrollment>(&again.value());
        BOOST_TEST_REQUIRE(pending);
        BOOST_TEST(pending->reason == "the CA's answer was not what had been authorised: the request is quarantined and waits for an officer");
        BOOST_TEST((pending->retry_after == 1h));
        BOOST_TEST(w.ca.asked == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_ca_that_takes_its_time_leaves_the_enrollment_submitted) {
    Ready w;
    w.ca.mode = Mode::pending;
    const auto r = w.submit(w.request({"corp.example"})).value();
    const auto* pending = std::get_if<ra::PendingEnrollment>(&r);
    BOOST_TEST_REQUIRE(pending);
    BOOST_TEST(pending->reason == "the CA has not answered yet");
    BOOST_TEST((pending->retry_after == 5s));
    BOOST_TEST(w.enrollments().at(0).status == "submitted");
    const auto again = w.submit(w.request({"corp.example"})).value();
    BOOST_TEST(std::get<ra::PendingEnrollment>(again).enrollment.get() == pending->enrollment.get());
    BOOST_TEST(w.ca.asked == 1);
}

BOOST_AUTO_TEST_CASE(the_same_attempt_gives_the_same_certificate) {
    Ready w;
    const auto first = w.issue({"corp.example"});
    const auto second = w.issue({"corp.example"});
    BOOST_TEST((first.der == second.der && first.certificate == second.certificate && first.enrollment == second.enrollment));
    BOOST_TEST(first.token == second.token);
    BOOST_TEST(w.certificates().size() == 1U);
    BOOST_TEST(w.ca.asked == 1);

    // Another order, other names or another key: another attempt.
    const auto other_order = w.issue({"corp.example"}, "order-2");
    const auto other_names = w.issue({"www.corp.example"});
    w.leaf_key = crypto::PrivateKey::generate(crypto::KeySpec());
    const auto other_key = w.issue({"corp.example"});
    BOOST_TEST(w.certificates().size() == 4U);
    BOOST_TEST((other_order.der != first.der && other_names.der != first.der && other_key.der != first.der));
}

BOOST_AUTO_TEST_CASE(a_revoked_certificate_binds_no_attempt) {
    Ready w;
    const auto first = w.issue({"corp.example"});
    BOOST_TEST(w.run(w.revocation.revoke(w.certificates().at(0), 0, administrator().actor, core::RequestId("r"), core::deadline_in(5s))).has_value());
    const auto second = w.issue({"corp.example"});
    BOOST_TEST((first.der != second.der));
    BOOST_TEST(w.enrollments().at(0).status == "revoked");
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_lost_stores_nothing) {
    Ready w;
    const auto r = w.submit(claiming(w));  // there is no such order
    check_refused(r, ProblemKind::conflict, "somebody else finished this first");
    BOOST_TEST(w.enrollments().empty());
    BOOST_TEST(w.audits("enrollment.intent").empty());
    BOOST_TEST(w.ca.asked == 0);
}

BOOST_AUTO_TEST_CASE(a_configuration_that_changes_between_decision_and_intent_stops_the_intent) {
    static constexpr store::Statement disable_tenant{"test_disable_tenant", "UPDATE tenant SET status = 'disabled' WHERE name = 'default'"};
    static constexpr store::Statement change_profile{"test_change_profile", "UPDATE profile SET version = version + 1 WHERE name = 'server'"};
    static constexpr store::Statement change_account{"test_change_account", "UPDATE account SET version = version + 1 WHERE name = 'team'"};
    static constexpr store::Statement disable_endpoint{"test_disable_endpoint", "UPDATE endpoint SET status = 'disabled' WHERE name = 'web'"};
    for (const auto* change : {&disable_tenant, &change_profile, &change_account, &disable_endpoint}) BOOST_TEST_CONTEXT(change->name) {
        Ready w;
        w.db.hook_at = &store::enrollment_insert;
        w.db.hook = [&w, change] { return execute_elsewhere(w, *change, store::Values()); };
        check_refused(w.submit(w.request({"corp.example"})), ProblemKind::conflict, "the configuration changed while the request was judged; ask again");
        BOOST_TEST(w.enrollments().empty());
        BOOST_TEST(w.ca.asked == 0);
    }
}

BOOST_AUTO_TEST_CASE(an_issuing_ca_that_was_withdrawn_elsewhere_signs_nothing) {
    Ready w;
    store::AuthorityRow issuing;
    issuing.key_id = issuing.issuer_id = "0badcafe";  // the scripted CA's
    issuing.kind = "issuing";
    w.execute(store::authority_insert, issuing.insert_values());
    w.execute(store::succession_insert, store::values(issuing.key_id, w.clock.now(), w.clock.now()));
    static_cast<void>(w.issue({"corp.example"}));
    w.execute(store::succession_withdraw, store::values(issuing.key_id, core::TimePoint{}, store::never_takes_over));
    check_refused(w.submit(w.request({"corp.example"}, "second")), ProblemKind::conflict, "the issuing CA was withdrawn while the request was judged; ask again");
    BOOST_TEST((w.enrollments().size() == 1U && w.ca.asked == 1));
}

BOOST_AUTO_TEST_CASE(an_enrollment_that_was_settled_elsewhere_keeps_that_outcome) {
    static constexpr store::Statement settle{"test_settle", "UPDATE enrollment SET status = 'invalid', attempt_bound = FALSE WHERE status = 'submitted'"};
    Ready w;
    w.db.hook_at = &store::certificate_insert;
    w.db.hook = [&w] { return execute_elsewhere(w, settle, store::Values()); };
    check_refused(w.submit(w.request({"corp.example"})), ProblemKind::conflict, "settled elsewhere");
    BOOST_TEST(w.certificates().empty());
    BOOST_TEST(w.audits("enrollment.issued").empty());
}

BOOST_AUTO_TEST_CASE(of_32_submits_of_one_attempt_exactly_one_issues) {
    Ready w;
    boost::asio::io_context io;
    std::vector<ra::EnrollmentOutcome> outcomes;
    int failures = 0;
    for (int i = 0; i < 32; ++i)
        boost::asio::co_spawn(io, w.enrollment.submit(w.request({"corp.example"})),
                              [&](std::exception_ptr e, core::Result<ra::EnrollmentOutcome> r) {
                                  if (e || !r)
                                      ++failures;
                                  else
                                      outcomes.push_back(std::move(*r));
                              });
    io.run();
    BOOST_TEST(failures == 0);
    BOOST_TEST(outcomes.size() == 32U);
    BOOST_TEST(w.certificates().size() == 1U);
    BOOST_TEST(w.enrollments().size() == 1U);
    BOOST_TEST(w.ca.asked == 1);
    const auto stored = w.certificates().at(0);
    for (const auto& outcome : outcomes) {
        if (const auto* issued = std::get_if<ra::IssuedCertificate>(&outcome))
            BOOST_TEST((issued->der == stored.der));
        else
            BOOST_TEST((std::get<ra::PendingEnrollment>(outcome).enrollment == stored.enrollment));
    }
    // Whoever was told to wait asks again.
    BOOST_TEST((w.issue({"corp.example"}).der == stored.der));
}

BOOST_AUTO_TEST_CASE(what_a_ca_numbers_itself_is_recorded_under_its_number) {
    World w;
    w.apply_standard();
    w.ca.draws_serials = false;
    w.issue({"corp.example"});
    BOOST_TEST(w.enrollments().at(0).status == "issued");
    BOOST_TEST(w.enrollments().at(0).serial.empty());
    BOOST_TEST((w.certificates().at(0).serial == core::Bytes(16, 0x33)));
}

BOOST_AUTO_TEST_SUITE_END()
