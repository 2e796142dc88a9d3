#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "ra/explanation.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

namespace {

constexpr store::Statement count_authorizations{"test_count_authorizations", "SELECT count(*) FROM acme_authorization"};

struct Fixture {
    World world;
    Client client{world, "open"};
    Fixture() { client.register_account(); }
    Answer proven(const std::vector<std::string>& names, std::string_view more = {}) {
        auto order = client.new_order(names, more);
        client.validate(order);
        return order;
    }
    Answer pre_authorize(std::string_view identifier) { return client.post(client.url("new-authz"), R"({"identifier":)" + std::string(identifier) + "}"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_proofs, Fixture)

BOOST_AUTO_TEST_CASE(what_was_proven_makes_the_next_order_ready) {
    const auto first = proven({"a.example"});
    const auto again = client.new_order({"a.example"});
    BOOST_TEST(again.text("status") == "ready");
    BOOST_TEST(again.list("authorizations") == first.list("authorizations"), boost::test_tools::per_element());
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
    BOOST_TEST(client.post(again.text("finalize"), Client::csr_payload(key, {"a.example"})).text("status") == "valid");
    BOOST_TEST(world.validator.asked.size() == 1U);
    // Some of the names: the others are to be proven.
    const auto mixed = client.new_order({"b.example", "a.example"});
    BOOST_TEST(mixed.text("status") == "pending");
    BOOST_TEST(mixed.list("authorizations").at(1) == first.list("authorizations").at(0));
    client.validate(mixed);
    BOOST_TEST(client.post(std::string(mixed.response.header("Location")), "").text("status") == "ready");
}

BOOST_AUTO_TEST_CASE(a_proof_is_the_accounts_own_and_for_its_profile) {
    proven({"a.example"});
    Client other(world, "open");
    other.register_account();
    BOOST_TEST(other.new_order({"a.example"}).text("status") == "pending");
    BOOST_TEST(client.new_order({"a.example"}, R"("profile":"short")").text("status") == "pending");
    BOOST_TEST(client.new_order({"www.a.example"}).text("status") == "pending");
}

BOOST_AUTO_TEST_CASE(an_order_ends_with_the_proof_that_it_rests_on) {
    const auto first = proven({"a.example"});
    world.clock.advance(std::chrono::hours(24 * 5));
    const auto again = client.new_order({"a.example"});
    BOOST_TEST(again.text("status") == "ready");
    BOOST_TEST(again.text("expires") == first.text("expires"));
    // With less than a day left it is proven anew.
    world.clock.advance(std::chrono::hours(24) + 1s);
    const auto late = client.new_order({"a.example"});
    BOOST_TEST(late.text("status") == "pending");
    BOOST_TEST(late.text("expires") > first.text("expires"));
}

BOOST_AUTO_TEST_CASE(a_proof_that_was_given_back_counts_no_more) {
    const auto first = proven({"a.example"});
    const auto again = client.new_order({"a.example"});
    BOOST_TEST(client.post(first.list("authorizations").at(0), R"({"status":"deactivated"})").status == 200U);
    BOOST_TEST(client.post(std::string(again.response.header("Location")), "").text("status") == "invalid");
    BOOST_TEST(client.new_order({"a.example"}).text("status") == "pending");
}

BOOST_AUTO_TEST_CASE(a_name_is_proven_before_it_is_ordered) {
    const auto made = pre_authorize(R"({"type":"dns","value":"A.Example"})");
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(made.text("status") == "pending");
    BOOST_TEST(made.document->root()["identifier"]["value"].string().value() == "a.example");
    const std::string url(made.response.header("Location"));
    BOOST_TEST(client.post(url, "").response.body == made.response.body);
    client.post(client.challenge_url(url), "{}");
    const auto order = client.new_order({"a.example"});
    BOOST_TEST(order.text("status") == "ready");
    BOOST_TEST(order.list("authorizations").at(0) == url);
    const auto proven_before = pre_authorize(R"({"type":"dns","value":"a.example"})");
    BOOST_TEST((proven_before.status == 200U && proven_before.text("status") == "valid"));
    BOOST_TEST(proven_before.response.header("Location") == url);
    BOOST_TEST(world.count(count_authorizations) == 1);
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.created")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_proof_before_any_order_is_explained) {
    const auto made = pre_authorize(R"({"type":"dns","value":"a.example"})");
    const std::string url(made.response.header("Location"));
    const auto by = ra::Principals::from_peer(0).value();
    const auto said = world.run(ra::explain(*world.db, by, url.substr(url.rfind('/') + 1)));
    BOOST_TEST_REQUIRE(said.has_value());
    BOOST_TEST((said->find("authorization.created") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_ordered_is_not_proven_before) {
    check_refused(pre_authorize(R"({"type":"dns","value":"*.a.example"})"), 400, "rejectedIdentifier", "a wildcard is proven by an order for it only");
    check_refused(pre_authorize(R"({"type":"dns","value":"a..b"})"), 400, "malformed", "a..b");
    check_refused(pre_authorize(R"({"type":"probe","value":"x"})"), 400, "unsupportedIdentifier", "probe");
    check_refused(pre_authorize(R"("a.example")"), 400, "malformed", "identifier must be an object");
    check_refused(client.post(client.url("new-authz"), "{}"), 400, "malformed", "identifier must be an object");
    Client bound(world, "bound");
    bound.register_account(bound.binding_payload("kid-web", world.mac_key));
    check_refused(bound.post(bound.url("new-authz"), R"({"identifier":{"type":"dns","value":"a.example"}})"), 400, "rejectedIdentifier", "outside the scope");
    BOOST_TEST(world.count(count_authorizations) == 0);
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.refused")).size() == 4U);
}

BOOST_AUTO_TEST_CASE(terms_that_changed_are_agreed_to_before_anything_is_ordered) {
    Client careful(world, "terms");
    careful.register_account();
    BOOST_TEST(careful.new_order({"a.example"}).status == 201U);
    static constexpr store::Statement older{"test_older_terms", "UPDATE acme_account SET terms = 'https://acme.test/old' WHERE terms IS NOT NULL"};
    world.write(older, {});
    world.clock.advance(1s);
    Client again(world, "terms");
    again.key = careful.key;
    again.kid = careful.kid;
    static constexpr store::Statement touch{"test_touch_configuration", "UPDATE configuration SET version = version + 1"};
    world.write(touch, {});
    world.run(world.catalog.refresh());
    for (const auto* path : {"new-order", "new-authz"}) {
        const auto refused = again.post(again.url(path), R"({"identifier":{"type":"dns","value":"a.example"},"identifiers":[{"type":"dns","value":"a.example"}]})");
        check_refused(refused, 403, "userActionRequired", "the terms of service changed");
        BOOST_TEST(refused.text("instance") == "https://acme.test/terms");
        BOOST_TEST(std::ranges::any_of(refused.response.headers, [](const auto& h) { return h.second == "<https://acme.test/terms>;rel=\"terms-of-service\""; }));
    }
    check_refused(again.post(again.kid, R"({"termsOfServiceAgreed":"yes"})"), 400, "malformed", "termsOfServiceAgreed");
    BOOST_TEST(again.post(again.kid, R"({"termsOfServiceAgreed":false})").status == 200U);
    BOOST_TEST(again.new_order({"a.example"}).status == 403U);
    // Another node records the agreement, and is not followed yet here.
    static constexpr store::Statement newer{"test_newer_terms", "UPDATE acme_account SET terms = 'https://acme.test/terms' WHERE terms IS NOT NULL"};
    world.write(newer, {});
    BOOST_TEST(again.new_order({"a.example"}).status == 201U);
    world.write(older, {});
    world.write(touch, {});
    world.run(world.catalog.refresh());
    BOOST_TEST(again.post(again.kid, R"({"termsOfServiceAgreed":true})").status == 200U);
    BOOST_TEST(again.new_order({"a.example"}).status == 201U);
    const auto audit = world.read(audit_by_action, store::values("account.updated"));
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST(audit[0].text(2) == R"({"terms":"https://acme.test/terms"})");
}

BOOST_AUTO_TEST_SUITE_END()
