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

/// What a crash left is still settled: the serial is revoked, and nothing new is signed.
BOOST_AUTO_TEST_CASE(a_shut_gate_voids_intents_and_signs_nothing) {
    World w;
    w.apply_standard();
    w.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(w.submit(w.request({"corp.example"})), std::runtime_error);
    w.ca.mode = ScriptedCa::Mode::ok;
    w.gate.shut(restored());
    BOOST_TEST(w.run(w.sweeper.start()) == 1U);
    BOOST_TEST(w.enrollments().at(0).status == "invalid");
    BOOST_TEST(w.read(revocation_rows).size() == 1U);
    BOOST_TEST(w.certificates().empty());
}

BOOST_AUTO_TEST_SUITE_END()
