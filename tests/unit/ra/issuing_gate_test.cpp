#include "ra/restoration.hpp"
#include "store/tables/restoration.hpp"
#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_issuing_gate)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

ra::IssuingGate::Reason restored() { return {"restore.open", "restored, not opened yet", 300s}; }

}  // namespace

BOOST_AUTO_TEST_CASE(reasons_come_and_go_on_their_own) {
    ra::IssuingGate gate;
    BOOST_TEST(!gate.shut_by());
    gate.shut(restored());
    gate.shut({"clock.agreement", "the clocks differ", 10s});
    gate.shut({"clock.agreement", "the clocks differ by 9 s", 20s});
    BOOST_TEST_REQUIRE(gate.reasons().size() == 2U);
    BOOST_TEST(gate.shut_by()->check == "clock.agreement");
    BOOST_TEST(gate.shut_by()->why == "the clocks differ by 9 s");
    gate.open("clock.agreement");
    gate.open("never.shut");
    BOOST_TEST(gate.shut_by()->check == "restore.open");
    gate.open("restore.open");
    BOOST_TEST(!gate.shut_by());
    BOOST_TEST(gate.reasons().empty());
}

BOOST_AUTO_TEST_CASE(a_shut_gate_refuses_first_of_all_with_its_reason) {
    World w;
    w.apply_standard();
    w.gate.shut(restored());
    auto nonsense = w.request({"elsewhere.example"});
    nonsense.account = core::AccountId(999);
    const auto r = w.submit(std::move(nonsense));
    BOOST_TEST_REQUIRE(!r.has_value());
    check_problem(r.error(), ProblemKind::unavailable, "restore.open", "restored, not opened yet");
    BOOST_TEST((r.error().retry_after == 300s));
    BOOST_TEST(!w.enrollment.gate_open().has_value());
    const auto refusals = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(refusals.size() == 1U);
    BOOST_TEST(refusals[0].text(2) == "restore.open");
    BOOST_TEST(contains(refusals[0].text(3), R"("trace":[{"check":"restore.open")"));
    BOOST_TEST(w.ca.asked == 0);

    w.gate.open("restore.open");
    BOOST_TEST(w.enrollment.gate_open().has_value());
    w.issue({"corp.example"});
}

/// What a crash left waits until the gate opens: nothing is signed, and no serial is given up that
/// somebody may have been given.
BOOST_AUTO_TEST_CASE(a_shut_gate_leaves_intents_as_they_are) {
    World w;
    w.apply_standard();
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    w.ca.mode = ScriptedCa::Mode::ok;
    w.gate.shut(restored());
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.enrollments().at(0).status == "submitted");
    BOOST_TEST(w.read(revocation_rows).empty());
    BOOST_TEST(w.certificates().empty());
    w.gate.open("restore.open");
    BOOST_TEST(w.run(w.sweeper.round()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "issued");
}

/// The lost server may have delivered the certificate after the backup was made.
BOOST_AUTO_TEST_CASE(what_a_backup_was_signing_is_unknown_after_the_restore) {
    World w;
    w.apply_standard();
    w.issue({"corp.example"});
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"}, "order-2")), std::runtime_error);
    w.ca.draws_serials = false;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"}, "order-3")), std::runtime_error);
    w.ca.mode = ScriptedCa::Mode::ok;
    store::Batch batch;
    const auto voided = w.run(ra::close_restored(w.db, w.numbers, batch, w.clock.now() - 1h, w.clock.now()));
    w.run(w.db.write(std::move(batch))).value();

    const auto rows = w.enrollments();
    BOOST_TEST_REQUIRE(rows.size() == 3U);
    BOOST_TEST((voided.unknown == std::vector{rows[1].id}));
    BOOST_TEST((rows[0].status == "issued" && rows[1].status == "unknown" && rows[2].status == "submitted"));
    BOOST_TEST(contains(rows[1].problem.value(), "nobody here knows whether it was"));
    BOOST_TEST(contains(w.audits("installation.restored").at(0).text(3), "\"unknown\":[" + std::to_string(rows[1].id.get()) + "]"));
    // Opened or not, no sweeper touches it.
    BOOST_TEST(w.run(w.sweeper.start()) == 0U);
    BOOST_TEST(w.enrollments().at(1).status == "unknown");
    BOOST_TEST(w.read(revocation_rows).empty());
    // The same attempt is not answered by another certificate.
    const auto again = w.submit(w.request({"corp.example"}, "order-2"));
    BOOST_TEST(contains(std::get<ra::PendingEnrollment>(again.value()).reason, "officer"));
}

BOOST_AUTO_TEST_SUITE_END()
