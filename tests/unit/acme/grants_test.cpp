#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {

constexpr store::Statement count_challenges{"test_count_challenges", "SELECT count(*) FROM acme_challenge"};

struct Fixture {
    World world;
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Client bound(std::string_view key_id) {
        Client client(world, "bound");
        client.register_account(client.binding_payload(key_id, world.mac_key));
        return client;
    }
    Answer finalize(Client& client, const Answer& order, const std::vector<std::string>& names) {
        return client.post(order.text("finalize"), Client::csr_payload(key, names));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_grants, Fixture)

BOOST_AUTO_TEST_CASE(a_domain_that_is_proven_needs_no_challenge) {
    auto client = bound("kid-preauthorized");
    const auto order = client.new_order({"www.corp.example", "corp.example"});
    BOOST_TEST(order.text("status") == "ready");
    const auto authorization = client.post(order.list("authorizations").at(0), "");
    BOOST_TEST(authorization.text("status") == "valid");
    BOOST_TEST(authorization.document->root()["challenges"].items().empty());
    BOOST_TEST(finalize(client, order, {"www.corp.example", "corp.example"}).text("status") == "valid");
    BOOST_TEST((world.validator.asked.empty() && world.count(count_challenges) == 0));
    const auto audit = world.read(audit_by_action, store::values("order.created"));
    BOOST_TEST((audit.at(0).text(2).find(R"("www.corp.example":"domain corp.example, proven by dns")") != std::string::npos));
    const auto early = client.post(client.url("new-authz"), R"({"identifier":{"type":"dns","value":"www.corp.example"}})");
    BOOST_TEST((early.status == 201U && early.text("status") == "valid"));
}

BOOST_AUTO_TEST_CASE(a_proof_by_http_is_of_the_host_alone) {
    auto client = bound("kid-preauthorized");
    BOOST_TEST(client.new_order({"web.example"}).text("status") == "ready");
    const auto mixed = client.new_order({"web.example", "www.web.example"});
    BOOST_TEST(mixed.text("status") == "pending");
    BOOST_TEST(world.count(count_challenges) == 3);  // of one name, each way to prove it
    client.post(client.challenge_url(mixed.list("authorizations").at(1)), "{}");
    BOOST_TEST(client.post(std::string(mixed.response.header("Location")), "").text("status") == "ready");
    BOOST_TEST(finalize(client, mixed, {"web.example", "www.web.example"}).text("status") == "valid");
    // On record in the order's order, for whoever takes the enrollment up later.
    static constexpr store::Statement stored{"test_evidence", "SELECT evidence FROM enrollment"};
    const auto rows = world.read(stored, {});
    const auto evidence = ra::evidence_from_json(rows.at(0).text(0));
    BOOST_TEST_REQUIRE(evidence.size() == 3U);
    BOOST_TEST((evidence[0].kind == ra::Evidence::Kind::granted && evidence[0].identifier == "web.example" && evidence[0].account_url == client.kid));
    BOOST_TEST(evidence[0].subject == "domain web.example, proven by http");
    BOOST_TEST((evidence[1].kind == ra::Evidence::Kind::validated_name && evidence[1].identifier == "www.web.example"));
}

BOOST_AUTO_TEST_CASE(an_account_may_have_its_names_without_any_challenge) {
    auto client = bound("kid-trusted");
    const auto order = client.new_order({"host.inside.example"});
    BOOST_TEST(order.text("status") == "ready");
    BOOST_TEST(finalize(client, order, {"host.inside.example"}).text("status") == "valid");
    check_refused(client.new_order({"outside.example"}), 400, "rejectedIdentifier", "outside the scope");
}

BOOST_AUTO_TEST_CASE(what_was_taken_back_is_refused_at_issue) {
    auto client = bound("kid-preauthorized");
    const auto order = client.new_order({"www.corp.example"});
    static constexpr store::Statement take_back{"test_take_back", "UPDATE domain SET body = '{}' WHERE name = 'corp.example'"};
    static constexpr store::Statement changed{"test_changed", "UPDATE configuration SET version = version + 1"};
    world.write(take_back, {});
    world.write(changed, {});
    world.run(world.catalog.refresh());
    check_refused(finalize(client, order, {"www.corp.example"}), 400, "rejectedIdentifier", "nobody proved control of it");
    BOOST_TEST(client.new_order({"www.corp.example"}).text("status") == "pending");
    BOOST_TEST(world.count(count_certificates) == 0);
}

BOOST_AUTO_TEST_CASE(others_prove_what_was_granted_and_revoke_it_by_no_proof) {
    auto client = bound("kid-preauthorized");
    const auto order = finalize(client, client.new_order({"www.corp.example"}), {"www.corp.example"});
    const auto pem = client.post(order.text("certificate"), "").response.body;
    const auto wish = R"({"certificate":")" + core::base64url(crypto::from_pem("CERTIFICATE", pem)->at(0)) + "\"}";
    Client other(world, "open");
    other.register_account();
    const auto theirs = other.new_order({"www.corp.example"});
    BOOST_TEST(theirs.text("status") == "pending");
    other.validate(theirs);
    check_refused(other.post(other.url("revoke-cert"), wish), 403, "unauthorized", "[check revocation.authority");
    BOOST_TEST(client.post(client.url("revoke-cert"), wish).status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()
