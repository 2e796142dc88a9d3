#include "ra/profile_pauses.hpp"

#include "tests/unit/ra/world.hpp"

BOOST_AUTO_TEST_SUITE(ra_profile_pauses)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;
using Mode = ScriptedCa::Mode;

namespace {

struct Paused : World {
    Paused() {
        apply_standard();
        ca.mode = Mode::wrong_template;
        const auto r = submit(request({"corp.example"}));
        BOOST_TEST_REQUIRE(!r.has_value());
        check_problem(r.error(), ProblemKind::internal, "lint.subject_html", "entity");
        ca.mode = Mode::ok;
    }
    const ra::Profile& profile() {
        for (const auto& p : catalog.current()->profiles)
            if (p.paused) return p;
        throw std::runtime_error("no profile is paused");
    }
    bool none_paused() {
        for (const auto& p : catalog.current()->profiles)
            if (p.paused) return false;
        return true;
    }
    std::string name() { return "default/" + profile().name; }
    core::Result<void> resume(std::string what, ra::Principal by = administrator()) {
        return run(profile_pauses.resume(std::move(what), std::move(by), core::RequestId("resumerequest000")));
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_lint_that_finds_us_at_fault_pauses_the_profile) {
    Paused w;
    BOOST_TEST(w.enrollments().empty());
    const auto prepared = w.ca.prepared.size();
    const auto r = w.submit(w.request({"corp.example"}, "order-2"));
    BOOST_TEST_REQUIRE(!r.has_value());
    check_problem(r.error(), ProblemKind::unavailable, "profile.paused", "paused after a fault of its certificates (lint.subject_html)");
    BOOST_TEST((r.error().retry_after == std::chrono::seconds(3600)));
    BOOST_TEST(w.ca.prepared.size() == prepared);

    const auto audits = w.audits("profile.paused");
    BOOST_TEST_REQUIRE(audits.size() == 1U);
    BOOST_TEST(audits[0].text(1) == "failed");
    BOOST_TEST(audits[0].text(2) == "lint.subject_html");
    BOOST_TEST(audits[0].text(5) == w.name());
    // The request that met it and the later one tell of it, each under its own id.
    const auto refused = w.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(refused.size() == 2U);
    BOOST_TEST(refused[0].text(8) == audits[0].text(8));
    BOOST_TEST(contains(refused[1].text(3), "paused by request " + audits[0].text(8)));
    BOOST_TEST(contains(w.metrics.scrape(), "postern_profiles_paused_total 1"));
}

BOOST_AUTO_TEST_CASE(what_the_request_brought_about_pauses_nothing) {
    World w;
    w.apply_standard();
    w.ca.mode = Mode::refuse;
    const auto r = w.submit(w.request({"corp.example"}));
    check_problem(r.error(), ProblemKind::bad_content, "lint.validity", "too long");
    BOOST_TEST(w.audits("profile.paused").empty());
    w.ca.mode = Mode::ok;
    BOOST_TEST(w.submit(w.request({"corp.example"})).has_value());
    BOOST_TEST(!ra::pauses_profile(core::Problem(ProblemKind::internal, "the signer broke off")));
}

BOOST_AUTO_TEST_CASE(an_administrator_resumes_it) {
    Paused w;
    const auto name = w.name();
    check_refused(w.resume("default/none"), ProblemKind::not_found, "no profile default/none");
    check_refused(w.resume(name.substr(name.find('/') + 1)), ProblemKind::not_found, "TENANT/NAME");
    ra::Principal stranger = administrator();
    stranger.tenant = core::TenantId(999);
    check_refused(w.resume(name, stranger), ProblemKind::not_found, "no profile");
    BOOST_TEST(w.resume(name).has_value());
    BOOST_TEST(w.none_paused());
    check_refused(w.resume(name), ProblemKind::conflict, "not paused");
    BOOST_TEST(w.audits("profile.resumed").size() == 1U);
    BOOST_TEST(w.submit(w.request({"corp.example"}, "order-3")).has_value());
}

BOOST_AUTO_TEST_CASE(a_corrected_document_lifts_it_and_another_offence_pauses_again) {
    Paused w;
    const auto name = w.profile().name;
    // The standard documents again, with one key of the profile changed.
    std::string changed(standard_documents);
    const auto at = changed.find("[[profile]]");
    changed.insert(changed.find("name = \"" + name + "\"", at), "description = \"corrected\"\n");
    BOOST_TEST(w.apply(changed).has_value());
    BOOST_TEST(w.none_paused());
    BOOST_TEST(w.submit(w.request({"corp.example"}, "order-3")).has_value());
    w.ca.mode = Mode::wrong_template;
    BOOST_TEST(!w.submit(w.request({"corp.example"}, "order-4")).has_value());
    BOOST_TEST(w.profile().name == name);
    BOOST_TEST(w.audits("profile.paused").size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
