#include "ra/caa.hpp"

#include "tests/unit/ra/approvals_world.hpp"

/// What the owners of names say in CAA records, whoever asks for a certificate and however late it is issued.
BOOST_AUTO_TEST_SUITE(ra_caa)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

class Owners final : public validation::Caa {
public:
    core::Task<validation::Finding> check(validation::CaaQuestion question, core::Deadline deadline) override {
        asked.push_back(question);
        most = std::max(most, ++running);
        while (asked.size() < together && std::chrono::steady_clock::now() < deadline) co_await core::sleep_for(1ms);
        --running;
        if (meanwhile) std::exchange(meanwhile, {})();
        validation::Finding out;
        out.steps.push_back("CAA of " + question.name + ", says this test");
        if (failing) out.verdict = core::Problem(ProblemKind::dns, "the name server failed", std::string(ra::caa_check));
        if (forbidding == question.name) out.verdict = core::Problem(ProblemKind::caa, "CAA records of " + forbidding + " forbid it", std::string(ra::caa_check));
        co_return out;
    }
    std::vector<validation::CaaQuestion> asked;
    std::string forbidding;
    std::size_t running = 0, most = 0;
    std::size_t together = 0;  ///< none is answered before so many are asked
    std::function<void()> meanwhile;  ///< happens during the first look-up
    bool failing = false;  ///< SERVFAIL, or no answer in time
};

constexpr std::string_view enforced = "caa = \"enforce\"\ncaa_identities = [\"ca.example\"]";

/// `asking` has somebody to ask; the world's own `enrollment` has not.
struct Site : Officers {
    explicit Site(std::string_view lines = enforced) : Officers("sqlite", lines) {}
    ra::Enrollment::Deps deps_with_owners() {
        auto deps = enrollment_deps();
        deps.caa = &owners;
        deps.tasks = &tasks;
        return deps;
    }
    core::Result<ra::EnrollmentOutcome> ask(ra::EnrollmentRequest r) { return run(asking.submit(std::move(r))); }
    Owners owners;
    ra::Enrollment asking{deps_with_owners()};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_devices_request_is_asked_about_too_and_nothing_vouches_for_it) {
    Site site;
    BOOST_TEST(site.ask(site.device()).has_value());
    BOOST_TEST_REQUIRE(site.owners.asked.size() == 1U);
    const auto& asked = site.owners.asked[0];
    BOOST_TEST((asked.name == "phone.corp.example" && asked.method.empty() && asked.account_url.empty()));
    BOOST_TEST(asked.identities == std::vector<std::string>{"ca.example"}, boost::test_tools::per_element());
    site.owners.forbidding = "phone.corp.example";
    const auto refused = site.ask(site.device("T2"));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == ProblemKind::caa && refused.error().check == "names.caa"));
    const auto audit = site.audits("enrollment.refused");
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST(audit.at(0).text(2) == "names.caa");
    BOOST_TEST(contains(audit.at(0).text(3), "CAA of phone.corp.example, says this test"), audit.at(0).text(3));
    BOOST_TEST(site.certificates().size() == 1U);
}

BOOST_AUTO_TEST_CASE(with_nobody_to_ask_nothing_is_issued) {
    Site site;
    const auto refused = site.submit(site.request({"www.corp.example"}));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == ProblemKind::unavailable && refused.error().check == "names.caa"));
    BOOST_TEST(site.certificates().empty());
}

BOOST_AUTO_TEST_CASE(what_was_asked_within_eight_hours_counts) {
    Site site;
    auto request = site.request({"www.corp.example", "mail.corp.example"});
    for (auto& e : request.evidence)
        if (e.identifier == "www.corp.example") e.caa = site.clock.now() - 8h + 1s, e.account_url = "https://ca.example/acme/web/account/A";
    BOOST_TEST(site.ask(std::move(request)).has_value());
    BOOST_TEST_REQUIRE(site.owners.asked.size() == 1U);
    BOOST_TEST((site.owners.asked[0].name == "mail.corp.example" && site.owners.asked[0].method == "http-01"));
}

BOOST_AUTO_TEST_CASE(a_name_server_that_fails_ends_nothing_that_was_approved) {
    Site site(std::string("approval = \"officer\"\n") + std::string(enforced));
    BOOST_TEST(site.ask(site.request({"www.corp.example"})).has_value());
    BOOST_TEST(site.approve() == "approved");  // this node cannot ask
    site.owners.asked.clear();
    site.owners.failing = true;
    BOOST_TEST(site.run(site.asking.issue_approved(site.row().id)));
    BOOST_TEST((site.row().status == "approved" && site.owners.asked.size() == 1U));
    site.owners.failing = false;
    BOOST_TEST(site.run(site.asking.issue_approved(site.row().id)));
    BOOST_TEST((site.row().status == "issued" && site.certificates().size() == 1U));
}

BOOST_AUTO_TEST_CASE(a_name_server_that_fails_ends_nothing_that_crashed) {
    Site site;
    site.ca.mode = ScriptedCa::Mode::crash;
    BOOST_CHECK_THROW(static_cast<void>(site.ask(site.request({"www.corp.example"}))), std::runtime_error);
    site.ca.mode = ScriptedCa::Mode::ok;
    site.owners.failing = true;
    ra::Sweeper sweeper(site.sweeper_deps(site.asking, "node-1", site.lives));
    site.run(sweeper.round());
    BOOST_TEST((site.row().status == "submitted" && site.certificates().empty() && site.owners.asked.size() == 2U));
    site.owners.failing = false;
    site.run(sweeper.round());
    BOOST_TEST((site.row().status == "issued" && site.certificates().size() == 1U));
}

BOOST_AUTO_TEST_CASE(eight_names_are_asked_about_side_by_side) {
    Site site;
    site.owners.together = 8;
    std::vector<std::string> names;
    for (int i = 0; i < 9; ++i) names.push_back("n" + std::to_string(i) + ".corp.example");
    BOOST_TEST(site.ask(site.request(names)).has_value());
    BOOST_TEST((site.owners.asked.size() == 9U && site.owners.most == 8U));
}

BOOST_AUTO_TEST_CASE(what_was_not_found_out_in_time_is_asked_for_again) {
    Site site;
    auto request = site.request({"www.corp.example"});
    request.deadline = core::deadline_in(-1s);
    const auto late = site.ask(std::move(request));
    BOOST_TEST_REQUIRE(!late.has_value());
    BOOST_TEST((late.error().kind == ProblemKind::unavailable && late.error().check == "names.caa"));
    BOOST_TEST(contains(late.error().detail, "ask again"), late.error().detail);
    BOOST_TEST((site.owners.asked.empty() && site.certificates().empty()));
}

BOOST_AUTO_TEST_CASE(what_changes_while_owners_are_asked_counts) {
    Site site;
    site.owners.meanwhile = [&] {
        static constexpr store::Statement suspend{"test_suspend", "UPDATE domain SET status = 'disabled' WHERE name = 'corp.example'"};
        static constexpr store::Statement changed{"test_changed", "UPDATE configuration SET version = version + 1"};
        site.execute(suspend);
        site.execute(changed);
        site.run(site.catalog.refresh());
    };
    const auto refused = site.ask(site.request({"www.corp.example"}));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().check == "names.domain", refused.error().detail);
    BOOST_TEST((site.owners.asked.size() == 1U && site.certificates().empty()));
}

BOOST_AUTO_TEST_CASE(a_granted_name_is_asked_about_for_its_account) {
    Site site;
    site.reapply(officers_documents(enforced, "challenges = \"none\"", "\"keep\""));
    auto request = site.request({"www.corp.example"});
    request.evidence.back() = ra::Evidence::granted("dns", "www.corp.example", "account team, without challenges", site.clock.now()).permitted("https://ca.example/acme/web/account/A", {});
    BOOST_TEST(site.ask(std::move(request)).has_value());
    BOOST_TEST_REQUIRE(site.owners.asked.size() == 1U);
    BOOST_TEST((site.owners.asked[0].method.empty() && site.owners.asked[0].account_url == "https://ca.example/acme/web/account/A"));
}

/// Evidence is stored with the request: who takes it up later asks as who began it did.
BOOST_AUTO_TEST_CASE(after_an_officers_yes_that_came_late_the_owner_is_asked_again) {
    Site site(std::string("approval = \"officer\"\n") + std::string(enforced));
    auto request = site.request({"www.corp.example"});
    for (auto& e : request.evidence)
        if (e.identifier == "www.corp.example") e.caa = site.clock.now(), e.account_url = "https://ca.example/acme/web/account/A";
    BOOST_TEST(site.ask(std::move(request)).has_value());
    BOOST_TEST(site.owners.asked.empty());
    site.clock.advance(9h);
    site.owners.forbidding = "www.corp.example";
    BOOST_TEST(site.approve() == "approved");  // this node cannot ask: tried again
    BOOST_TEST(site.run(site.asking.issue_approved(site.row().id)));
    BOOST_TEST_REQUIRE(site.owners.asked.size() == 1U);
    BOOST_TEST((site.owners.asked[0].method == "http-01" && site.owners.asked[0].account_url == "https://ca.example/acme/web/account/A"));
    BOOST_TEST(site.row().status == "invalid");
    BOOST_TEST(contains(site.row().problem.value_or(""), "forbid it"));
    BOOST_TEST(site.certificates().empty());
}

BOOST_AUTO_TEST_CASE(evidence_keeps_who_was_asked_and_when) {
    std::vector<ra::Evidence> before;
    before.push_back(ra::Evidence::validated("dns", "a.example", "dns-01", core::from_ms(1000), core::from_ms(2000)).permitted("https://ca.example/a", core::from_ms(1500)));
    before.push_back(ra::Evidence::validated("ip", "192.0.2.1", "http-01", core::from_ms(1000), core::from_ms(2000)));
    before.push_back(ra::Evidence::granted("dns", "b.example", "account team, without challenges", core::from_ms(1000)).permitted("https://ca.example/a", {}));
    const auto after = ra::evidence_from_json(ra::to_json(before));
    BOOST_TEST_REQUIRE(after.size() == 3U);
    BOOST_TEST((after[2].kind == ra::Evidence::Kind::granted && after[2].identifier_type == "dns" && after[2].identifier == "b.example"));
    BOOST_TEST((after[2].subject == "account team, without challenges" && after[2].account_url == "https://ca.example/a" && !after[2].caa));
    BOOST_TEST((after[0].account_url == "https://ca.example/a" && after[0].caa == core::from_ms(1500)));
    BOOST_TEST((after[1].account_url.empty() && !after[1].caa));
}

BOOST_AUTO_TEST_SUITE_END()
