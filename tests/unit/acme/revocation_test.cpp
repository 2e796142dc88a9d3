#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {

constexpr store::Statement stored_reason{"test_reason", "SELECT revoked_reason FROM certificate WHERE status = 'revoked'"};
constexpr store::Statement listed_reason{"test_listed", "SELECT reason FROM revocation"};
constexpr store::Statement count_blocked{"test_blocked", "SELECT count(*) FROM blocked_key"};
constexpr store::Statement count_revoked{"test_revoked", "SELECT count(*) FROM certificate WHERE status = 'revoked'"};

struct Fixture {
    World world;
    Client client{world, "open"}, other{world, "open"}, holder{world, "open"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Fixture() {
        client.register_account();
        other.register_account();
        holder.key = key;
    }
    std::string issued(const std::vector<std::string>& names) {
        const auto order = client.issue(key, names);
        const auto pem = client.post(order.text("certificate"), "").response.body;
        return core::base64url(crypto::from_pem("CERTIFICATE", pem)->at(0));
    }
    static Answer revoke(Client& by, const std::string& leaf, int reason) {
        return by.post(by.url("revoke-cert"), R"({"certificate":")" + leaf + R"(","reason":)" + std::to_string(reason) + "}");
    }
    void prove(const std::vector<std::string>& names) { other.validate(other.new_order(names)); }
    bool key_is_good() {
        const auto order = client.new_order({"again.example"});
        client.validate(order);
        return client.post(order.text("finalize"), Client::csr_payload(key, {"again.example"})).status == 200U;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_revocation, Fixture)

BOOST_AUTO_TEST_CASE(who_has_proven_all_names_revokes_as_ceased_and_blocks_no_key) {
    const auto leaf = issued({"a.example", "b.example"});
    prove({"a.example"});
    check_refused(revoke(other, leaf, 1), 403, "unauthorized", "valid authorizations for all of its names");
    prove({"b.example"});
    BOOST_TEST(revoke(other, leaf, 1).status == 200U);
    BOOST_TEST(world.count(stored_reason) == 5);
    BOOST_TEST(world.count(count_blocked) == 0);
    BOOST_TEST(key_is_good());
}

BOOST_AUTO_TEST_CASE(proofs_count_while_they_are_valid_and_a_challenge_made_them) {
    const auto leaf = issued({"a.example"});
    prove({"a.example"});
    const auto refused = [&] { check_refused(revoke(other, leaf, 0), 403, "unauthorized", "[check revocation.authority"); };
    static constexpr store::Statement unmade{"test_unmade", "UPDATE acme_challenge SET status = $1"};
    const auto challenges = [&](std::string_view status) {
        store::Batch batch;
        batch.add(unmade, store::values(status), store::Expect::any);
        world.run(world.db->write(std::move(batch))).value();
    };
    challenges("pending");  // the names were given to the account without a proof
    refused();
    challenges("valid");
    world.clock.advance(std::chrono::hours(24 * 8));
    refused();
    BOOST_TEST(world.count(count_revoked) == 0);
    prove({"a.example"});
    BOOST_TEST(revoke(other, leaf, 0).status == 200U);
}

BOOST_AUTO_TEST_CASE(a_proof_that_was_given_back_counts_no_more) {
    const auto leaf = issued({"a.example"});
    const auto order = other.new_order({"a.example"});
    other.validate(order);
    BOOST_TEST(other.post(order.list("authorizations").at(0), R"({"status":"deactivated"})").status == 200U);
    check_refused(revoke(other, leaf, 0), 403, "unauthorized", "");
}

BOOST_AUTO_TEST_CASE(an_accounts_word_for_a_compromise_blocks_no_key) {
    const auto leaf = issued({"a.example"});
    BOOST_TEST(revoke(client, leaf, 1).status == 200U);
    BOOST_TEST(world.count(stored_reason) == 1);
    BOOST_TEST(world.count(count_blocked) == 0);
    // The key itself says so, too: now it is proven.
    BOOST_TEST(revoke(holder, leaf, 1).status == 200U);
    BOOST_TEST(world.count(count_blocked) == 2);
    check_refused(revoke(holder, leaf, 1), 400, "alreadyRevoked", "is revoked already");
    BOOST_TEST(!key_is_good());
}

BOOST_AUTO_TEST_CASE(a_revocation_becomes_a_compromise_by_the_certificates_key) {
    const auto leaf = issued({"a.example"});
    BOOST_TEST(revoke(client, leaf, 4).status == 200U);
    BOOST_TEST((world.count(stored_reason) == 4 && world.count(listed_reason) == 4));
    check_refused(revoke(client, leaf, 1), 400, "alreadyRevoked", "is revoked already");
    BOOST_TEST(revoke(holder, leaf, 3).status == 200U);
    BOOST_TEST((world.count(stored_reason) == 1 && world.count(listed_reason) == 1));
    BOOST_TEST(world.count(count_blocked) == 2);
    const auto audit = world.read(audit_by_action, store::values("certificate.compromised"));
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST((audit[0].text(2).find(R"("key_blocked":true)") != std::string::npos));
    check_refused(revoke(holder, leaf, 1), 400, "alreadyRevoked", "is revoked already");
}

BOOST_AUTO_TEST_SUITE_END()
