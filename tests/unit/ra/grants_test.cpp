#include <boost/test/unit_test.hpp>

#include "ra/bodies.hpp"
#include "ra/grants.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

const auto now = core::from_ms(1'800'000'000'000);

/// An account for corp.example of a tenant whose domains are what the case says.
struct Fixture {
    Fixture() {
        account.tenant = core::TenantId(1);
        account.name = "team";
        account.challenges = ra::Challenges::preauthorized;
    }
    ra::Domain& domain(std::string name, ra::DomainProof proof, core::TimePoint until = now + 24h) {
        ra::Domain d;
        d.tenant = core::TenantId(1);
        d.name = std::move(name);
        d.proof = proof;
        d.proven_until = until;
        catalog.domains.push_back(std::move(d));
        return catalog.domains.back();
    }
    [[nodiscard]] std::string by(std::string_view name, bool publicly_trusted = false) const { return ra::granted_by(catalog, account, name, publicly_trusted, now); }
    ra::Catalog catalog;
    ra::Account account;
};

store::ObjectRow object(std::vector<store::Value> keys, std::string body) {
    store::ObjectRow row;
    row.id = 1;
    row.tenant_id = 1;
    row.name = "corp.example";
    row.status = "active";
    row.body = std::move(body);
    row.keys = std::move(keys);
    return row;
}
std::string why_no_domain(std::string body) {
    const auto read = ra::read_domain(object({std::monostate{}}, std::move(body)));
    return read ? std::string() : read.error().detail;
}
std::string why_no_account(std::string_view method, std::string body) {
    const auto read = ra::read_account(object({std::int64_t{1}, std::monostate{}, std::monostate{}, std::string(method), std::monostate{}, std::monostate{}}, std::move(body)));
    return read ? std::string() : read.error().detail;
}
bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(grants, Fixture)

BOOST_AUTO_TEST_CASE(a_domain_grants_by_what_proved_it) {
    domain("corp.example", ra::DomainProof::dns);
    domain("mail.test", ra::DomainProof::mail);
    domain("web.test", ra::DomainProof::http);
    domain("unproven.test", ra::DomainProof::none);
    for (const auto* name : {"corp.example", "www.corp.example", "*.corp.example", "*.a.corp.example"}) BOOST_TEST(by(name) == "domain corp.example, proven by dns", name);
    BOOST_TEST(by("a.mail.test") == "domain mail.test, proven by mail");
    BOOST_TEST(by("web.test") == "domain web.test, proven by http");
    for (const auto* name : {"*.web.test", "www.web.test", "unproven.test", "other.test", "xcorp.example"}) BOOST_TEST(by(name).empty(), name);
}

BOOST_AUTO_TEST_CASE(a_domain_grants_while_it_is_active_proven_and_the_one_that_governs) {
    domain("corp.example", ra::DomainProof::dns);
    domain("over.test", ra::DomainProof::dns, now);
    domain("disabled.test", ra::DomainProof::dns).active = false;
    domain("part.corp.example", ra::DomainProof::none);
    domain("others.test", ra::DomainProof::dns).tenant = core::TenantId(2);
    for (const auto* name : {"over.test", "disabled.test", "part.corp.example", "www.part.corp.example", "others.test"}) BOOST_TEST(by(name).empty(), name);
}

BOOST_AUTO_TEST_CASE(what_is_granted_is_the_accounts_choice) {
    domain("corp.example", ra::DomainProof::dns);
    account.challenges = ra::Challenges::required;
    BOOST_TEST(by("corp.example").empty());
    account.challenges = ra::Challenges::none;
    BOOST_TEST(by("whatever.test") == "account team, without challenges");
    BOOST_TEST(by("whatever.test", true).empty());  // the world's names
}

BOOST_AUTO_TEST_CASE(documents_say_what_is_granted) {
    BOOST_TEST(why_no_domain(R"({"proven_by":"mail","proven_until":"2027-01-01T00:00:00Z"})").empty());
    BOOST_TEST(why_no_domain("{}").empty());
    BOOST_TEST(contains(why_no_domain(R"({"proven_by":"dns"})"), "$.proven_until: goes with proven_by"));
    BOOST_TEST(contains(why_no_domain(R"({"proven_until":"2027-01-01T00:00:00Z"})"), "$.proven_until: goes with proven_by"));
    BOOST_TEST(contains(why_no_domain(R"({"proven_by":"dns","proven_until":"soon"})"), "$.proven_until: expected a time"));
    BOOST_TEST(contains(why_no_domain(R"({"proven_by":"word"})"), "$.proven_by: known here: none, http, dns, mail"));

    BOOST_TEST(why_no_account("eab", R"({"names":[".corp.example"],"challenges":"none","single_use":true})").empty());
    BOOST_TEST(why_no_account("eab", R"({"names":["*"],"challenges":"preauthorized"})").empty());
    BOOST_TEST(contains(why_no_account("eab", R"({"names":["*"],"challenges":"none"})"), R"($.challenges: "none" goes with a scope that lists names)"));
    BOOST_TEST(contains(why_no_account("eab", R"({"challenges":"some"})"), "$.challenges: known here: required, preauthorized, none"));
    BOOST_TEST(contains(why_no_account("open", R"({"challenges":"none"})"), "$.challenges: is for accounts of method eab"));
    BOOST_TEST(contains(why_no_account("open", R"({"single_use":true})"), "$.single_use: is for accounts of method eab"));
}

BOOST_AUTO_TEST_SUITE_END()
