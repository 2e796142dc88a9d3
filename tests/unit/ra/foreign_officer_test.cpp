#include "tests/unit/ra/foreign_world.hpp"

/// What waits for an officer, and what an officer may do about it.
BOOST_AUTO_TEST_SUITE(foreign_officer)

using namespace postern;
using namespace postern::test;

BOOST_DATA_TEST_CASE(a_key_that_was_blocked_meanwhile_is_not_delivered, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.at_issue = ForeignCa::pending("h");
    w.wait();
    w.run(w.block());
    w.clock.advance(61s);
    w.round();
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "key.blocked"));
    // Nor does an officer deliver it: the certificate is what was authorised, its key is not any more.
    check_refused(w.resolve_issued(), core::ProblemKind::conflict, "the key is blocked (stolen)");
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
}

BOOST_DATA_TEST_CASE(a_key_that_is_blocked_at_the_last_moment_is_not_delivered, engines(), engine) {
    Elsewhere w(engine);
    w.db.hook_at = &store::submission_delete;
    w.db.hook = [&w] { return w.block(); };
    BOOST_TEST(!w.submit(w.request({"corp.example"})).has_value());
    BOOST_TEST((w.status() == "quarantined" && w.state() == "held" && w.certificates().empty()));
    BOOST_TEST(contains(w.enrollments().at(0).problem.value(), "key.blocked"));
    BOOST_TEST(w.alarmed("quarantined"));
}

BOOST_DATA_TEST_CASE(a_key_that_is_blocked_while_an_officer_resolves_is_not_delivered, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.times.find = false;
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.wait();
    w.db.hook_at = &store::submission_delete;
    w.db.hook = [&w] { return w.block(); };
    check_refused(w.resolve_issued(), core::ProblemKind::conflict, "blocked a moment ago");
    BOOST_TEST((w.status() == "unknown" && w.state() == "held" && w.certificates().empty()));
}

BOOST_DATA_TEST_CASE(an_officer_of_another_tenant_sees_and_resolves_nothing, engines(), engine) {
    Elsewhere w(engine);
    w.foreign.times.find = false;
    w.foreign.at_issue = ca::Outcome(ca::Lost("no answer"));
    w.wait();
    auto stranger = tenant_administrator(core::TenantId(4711));
    BOOST_TEST(w.run(ra::list_requests(w.db, stranger, 0, 10, {})).empty());
    const auto id = w.enrollments().at(0).id;
    check_refused(w.run(ra::find_request(w.db, stranger, std::to_string(id.get()))), core::ProblemKind::not_found, "there is no request");
    ra::Resolution resolution;
    resolution.why = "because";
    check_refused(w.run(w.enrollment.resolve(id, resolution, stranger, core::RequestId("r"))), core::ProblemKind::not_found, "there is no request");
    BOOST_TEST(w.run(w.enrollment.resolve(id, resolution, administrator(), core::RequestId("r"))).has_value());
    check_refused(w.run(w.enrollment.resolve(id, resolution, administrator(), core::RequestId("r"))), core::ProblemKind::conflict, "waits for nobody");
    BOOST_TEST((w.status() == "invalid" && w.audits("request.resolved").size() == 1U));
}

BOOST_DATA_TEST_CASE(our_own_quarantined_signature_can_only_be_given_up_and_its_serial_is_listed, engines(), engine) {
    World w(false, store_of(engine));
    w.apply_standard();
    w.ca.mode = ScriptedCa::Mode::other_content;
    BOOST_TEST(!w.submit(w.request({"corp.example"})).has_value());
    const auto id = w.enrollments().at(0).id;
    ra::Resolution issued;
    issued.why = "because";
    issued.certificate = "PEM";
    check_refused(w.run(w.enrollment.resolve(id, issued, administrator(), core::RequestId("r"))), core::ProblemKind::unsupported, "given up");
    ra::Resolution absent;
    absent.why = "because";
    BOOST_TEST(w.run(w.enrollment.resolve(id, absent, administrator(), core::RequestId("r"))).has_value());
    BOOST_TEST(w.read(revocation_rows).size() == 1U);
}

BOOST_DATA_TEST_CASE(pruning_keeps_what_a_profile_needs, engines(), engine) {
    // No program is needed for the plan: what is stored is there already.
    Elsewhere w(engine);
    w.execute(store::backend_insert, store::values(99, w.tenant(), "lab", "active", 1, R"({"kind":"command","argv":["/bin/true"],"trust_anchors":"x"})", w.clock.now(), w.clock.now(), "test"));
    const std::string profile = "[[profile]]\nname = \"server\"\nbackend = \"lab\"\n";
    ra::ApplyOptions prune;
    prune.dry_run = prune.prune = true;
    check_refused(w.apply(profile, prune), core::ProblemKind::malformed, "refers to backend lab");
    check_refused(w.apply("[[profile]]\nname = \"server\"\nbackend = \"lab2\"\n"), core::ProblemKind::malformed, "there is no CA backend named lab2");
    auto token = administrator();
    token.actor = ra::Actor("principal", "token");
    check_refused(w.apply("[[profile]]\nname = \"server\"\nbackend = \"elsewhere\"\n", prune, token), core::ProblemKind::malformed, "only the local administrator");
}

BOOST_AUTO_TEST_SUITE_END()
