#include <boost/test/unit_test.hpp>

#include "core/crypto/fingerprints.hpp"
#include "store/tables/blocked_key.hpp"
#include "tests/unit/acme/at_once.hpp"

using namespace postern;
using namespace postern::test;

namespace {

struct Fixture {
    World world;
    Client client{world, "open"};
    crypto::PrivateKey next = crypto::PrivateKey::generate(crypto::KeySpec());
    Fixture() { client.register_account(); }

    [[nodiscard]] std::string url() const { return client.url("key-change"); }
    /// What the inner JWS says (RFC 8555 §7.3.5).
    [[nodiscard]] static std::string payload_of(std::string_view account, std::string_view old_key) {
        return R"({"account":")" + std::string(account) + R"(","oldKey":)" + std::string(old_key) + "}";
    }
    [[nodiscard]] static Header inner_header(const crypto::PrivateKey& to, const std::string& url) {
        Header h;
        h.alg = jose_name(to);
        h.jwk = crypto::to_jwk(to.public_key());
        h.url = url;
        return h;
    }
    [[nodiscard]] std::string good(const Client& of, const crypto::PrivateKey& to) const {
        return sign_jws(to, inner_header(to, of.url("key-change")), payload_of(of.kid, of.jwk()));
    }
    void refuses(std::string_view payload, unsigned status, std::string_view type, std::string_view says) {
        check_refused(client.post(url(), payload), status, type, says);
        BOOST_TEST(client.post(client.kid, "").status == 200U);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_key_change, Fixture)

BOOST_AUTO_TEST_CASE(an_account_goes_on_under_a_new_key_with_all_that_it_has) {
    const auto order = client.new_order({"a.example"});
    const auto before = crypto::parse_jwk(std::string_view(client.jwk()))->thumbprint;
    const auto changed = client.post(url(), good(client, next));
    BOOST_TEST(changed.status == 200U);
    BOOST_TEST(changed.text("status") == "valid");
    check_refused(client.post(client.kid, ""), 400, "malformed", "does not verify with the account's key");
    Client former(world, "open");
    former.key = client.key;
    check_refused(former.post(former.url("new-account"), R"({"onlyReturnExisting":true})"), 400, "accountDoesNotExist", "no account");
    client.key = next;
    BOOST_TEST(client.post(client.kid, "").status == 200U);
    // Key authorizations are the new key's from now on.
    client.validate(order);
    BOOST_TEST(world.validator.asked.at(0).key_authorization.ends_with(crypto::parse_jwk(std::string_view(client.jwk()))->thumbprint));
    BOOST_TEST(client.post(std::string(order.response.header("Location")), "").text("status") == "ready");
    const auto audit = world.read(audit_by_action, store::values("account.key_changed"));
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST(client.kid.ends_with(audit[0].text(3)));
    BOOST_TEST((audit[0].text(2).find(R"("from":")" + before + '"') != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_key_that_has_an_account_is_refused_with_that_accounts_url) {
    Client holder(world, "open");
    holder.register_account();
    for (const auto* of : {"alive", "deactivated"}) {
        BOOST_TEST_CONTEXT(of) {
            const auto refused = client.post(url(), good(client, holder.key));
            check_refused(refused, 409, "malformed", "key of another account");
            BOOST_TEST(refused.response.header("Location") == holder.kid);
            BOOST_TEST(client.post(client.kid, "").status == 200U);
            holder.post(holder.kid, R"({"status":"deactivated"})");  // its key stays used up
        }
    }
}

BOOST_AUTO_TEST_CASE(the_inner_message_is_for_this_account_this_url_and_these_keys) {
    Client other(world, "open");
    other.register_account();
    const auto header = inner_header(next, url());
    const auto payload = payload_of(client.kid, client.jwk());
    refuses("{}", 400, "malformed", "the inner JWS");
    refuses("", 400, "malformed", "the inner JWS cannot be read");
    refuses(R"("text")", 400, "malformed", "the inner JWS must be a JSON object");
    refuses(sign_jws(client.key, header, payload), 400, "malformed", "the inner JWS signature does not verify with the jwk");
    auto changed = header;
    changed.url = client.kid;
    refuses(sign_jws(next, changed, payload), 400, "malformed", "the url of the inner JWS must be that of the outer one");
    changed = header;
    changed.nonce = world.nonce();
    refuses(sign_jws(next, changed, payload), 400, "malformed", "must not have a nonce");
    changed = header;
    changed.jwk.clear();
    changed.kid = client.kid;
    refuses(sign_jws(next, changed, payload), 400, "malformed", "new key as jwk");
    changed = header;
    changed.alg = "HS256";
    refuses(sign_jws(next, changed, payload), 400, "badSignatureAlgorithm", "HS256");
    refuses(sign_jws(next, header, payload_of(other.kid, client.jwk())), 400, "malformed", "not the account that signed");
    refuses(sign_jws(next, header, payload_of(client.kid, other.jwk())), 400, "malformed", "oldKey in the inner JWS is not the account's key");
    refuses(sign_jws(next, header, payload_of(client.kid, "\"x\"")), 400, "malformed", "oldKey in the inner JWS");
    refuses(sign_jws(next, header, R"({"oldKey":{}})"), 400, "malformed", "account");
    refuses(sign_jws(next, header, "x"), 400, "malformed", "the payload of the inner JWS");
    refuses(good(client, client.key), 400, "malformed", "the account's key already");
    BOOST_TEST(world.read(audit_by_action, store::values("account.key_changed")).empty());
}

BOOST_AUTO_TEST_CASE(a_blocked_key_becomes_nobodys) {
    store::BlockedKeyRow row;
    row.digest = crypto::fingerprints(next.public_key()).spki;
    row.reason = "published";
    row.source = "a list";
    row.audit = 1;
    world.write(store::blocked_key_insert, row.insert_values());
    refuses(good(client, next), 400, "badPublicKey", "the key is blocked (published)");
}

BOOST_AUTO_TEST_CASE(of_many_changes_at_once_one_wins) {
    std::vector<crypto::PrivateKey> keys;
    std::vector<http::Request> requests;
    for (int i = 0; i < 16; ++i) keys.push_back(crypto::PrivateKey::generate(crypto::KeySpec()));
    for (const auto& key : keys) requests.push_back(client.request(url(), good(client, key)));
    std::size_t changed = 0;
    for (const auto& answer : all_at_once(world, std::move(requests))) {
        if (answer.status == 200U) ++changed;
        else BOOST_TEST((answer.status == 400U && answer.type() == "malformed"));
    }
    BOOST_TEST(changed == 1U);
    BOOST_TEST(world.read(audit_by_action, store::values("account.key_changed")).size() == 1U);
    const auto holds = [&](const crypto::PrivateKey& key) {
        client.key = key;
        return client.post(client.kid, "").status == 200U;
    };
    BOOST_TEST(std::ranges::count_if(keys, holds) == 1);
}

BOOST_AUTO_TEST_CASE(of_many_accounts_that_change_to_one_key_one_wins) {
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<http::Request> requests;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(std::make_unique<Client>(world, "open"));
        clients.back()->register_account();
    }
    for (auto& each : clients) requests.push_back(each->request(url(), good(*each, next)));
    std::size_t changed = 0;
    std::string kid;
    for (const auto& answer : all_at_once(world, std::move(requests))) {
        if (answer.status == 200U) {
            ++changed;
            continue;
        }
        check_refused(answer, 409, "malformed", "key of another account");
        if (kid.empty()) kid = answer.response.header("Location");
        BOOST_TEST(answer.response.header("Location") == kid);
    }
    BOOST_TEST(changed == 1U);
}

BOOST_AUTO_TEST_CASE(a_key_that_another_node_changed_signs_at_once) {
    client.post(client.kid, "");  // this node knows the account by its old key
    const auto to = crypto::parse_jwk(std::string_view(crypto::to_jwk(next.public_key())));
    static constexpr store::Statement change{"test_change_key", "UPDATE acme_account SET thumbprint = $1, jwk = $2"};
    world.write(change, store::values(to->thumbprint, to->canonical));
    client.key = next;
    BOOST_TEST(client.post(client.kid, "").status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()
