#include <boost/test/unit_test.hpp>

#include "acme/external_account_binding.hpp"
#include "tests/unit/acme/at_once.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "bound"};

    Header inner() {
        Header h;
        h.alg = "HS256";
        h.kid = "kid-web";
        h.url = client.url("new-account");
        return h;
    }
    Answer register_with(const Header& header, const std::string& payload, crypto::HmacHash hash = crypto::HmacHash::sha256) {
        return client.post(client.url("new-account"), R"({"externalAccountBinding":)" + bind_account(hash, world.mac_key, header, payload) + "}");
    }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_external_account_binding, Fixture)

BOOST_AUTO_TEST_CASE(a_right_binding_makes_an_account_that_echoes_it) {
    const auto made = client.register_account(client.binding_payload("kid-web", world.mac_key));
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(made.document->root()["externalAccountBinding"]["signature"].string().has_value());
    const auto audit = world.read(audit_by_action, store::values("account.created"));
    BOOST_TEST(audit.at(0).text(2).find(R"("account":"web")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(all_three_hashes_serve) {
    const std::pair<const char*, crypto::HmacHash> hashes[] = {
        {"HS256", crypto::HmacHash::sha256}, {"HS384", crypto::HmacHash::sha384}, {"HS512", crypto::HmacHash::sha512}};
    for (const auto& [name, hash] : hashes) {
        client.key = crypto::PrivateKey::generate(crypto::KeySpec());
        auto header = inner();
        header.alg = name;
        BOOST_TEST(register_with(header, client.jwk(), hash).status == 201U, name);
    }
}

BOOST_AUTO_TEST_CASE(without_one_the_endpoint_asks_for_it) {
    check_refused(client.post(client.url("new-account"), "{}"), 403, "externalAccountRequired", "ask the administrator");
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(a_wrong_mac_and_an_unknown_key_id_answer_alike_and_only_the_known_is_audited) {
    const auto wrong = client.post(client.url("new-account"), client.binding_payload("kid-web", core::Bytes(32, 1)));
    check_refused(wrong, 403, "unauthorized", "unknown at this endpoint, or the MAC");
    const auto audit = world.read(audit_by_action, store::values("account.binding"));
    BOOST_TEST(audit.size() == 1U);
    BOOST_TEST(audit.at(0).text(0) == "refused");
    const auto unknown = client.post(client.url("new-account"), client.binding_payload("kid-none", world.mac_key));
    check_refused(unknown, 403, "unauthorized", "unknown at this endpoint, or the MAC");
    BOOST_TEST(world.read(audit_by_action, store::values("account.binding")).size() == 1U);
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(expired_and_disabled_key_ids_are_refused_once_the_mac_is_right) {
    check_refused(client.post(client.url("new-account"), client.binding_payload("kid-past", world.mac_key)), 403, "unauthorized", "is expired");
    world.disable_account("web");
    check_refused(client.post(client.url("new-account"), client.binding_payload("kid-web", world.mac_key)), 403, "unauthorized", "is disabled");
    BOOST_TEST(world.read(audit_by_action, store::values("account.binding")).size() == 2U);
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(a_key_id_of_another_endpoint_is_unknown) {
    Client elsewhere(world, "open");
    check_refused(elsewhere.post(elsewhere.url("new-account"), elsewhere.binding_payload("kid-web", world.mac_key)), 403, "unauthorized", "unknown");
}

BOOST_AUTO_TEST_CASE(inner_messages_of_wrong_form_are_malformed) {
    auto other_url = inner();
    other_url.url = "https://acme.test:8443/acme/open/new-account";
    check_refused(register_with(other_url, client.jwk()), 400, "malformed", "url must be that of the outer JWS");
    check_refused(register_with(inner(), crypto::to_jwk(crypto::PrivateKey::generate(crypto::KeySpec()).public_key())), 400,
                  "malformed", "another key than the one that signs");
    auto with_nonce = inner();
    with_nonce.nonce = world.nonce();
    check_refused(register_with(with_nonce, client.jwk()), 400, "malformed", "must not have a nonce");
    auto es256 = inner();
    es256.alg = "ES256";
    check_refused(register_with(es256, client.jwk()), 400, "malformed", "HS256, HS384 or HS512");
    auto no_kid = inner();
    no_kid.kid.clear();
    check_refused(register_with(no_kid, client.jwk()), 400, "malformed", "kid");
    auto not_ascii = inner();
    not_ascii.kid = "j\xc3\xbcrgen";
    check_refused(register_with(not_ascii, client.jwk()), 400, "malformed", "ASCII");
    check_refused(register_with(inner(), "{}"), 400, "malformed", "the account's key as a JWK");
    check_refused(client.post(client.url("new-account"), R"({"externalAccountBinding":"x"})"), 400, "malformed", "flattened form");
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(a_key_id_for_one_account_is_used_up_by_it) {
    const auto made = client.register_account(client.binding_payload("kid-once", world.mac_key));
    BOOST_TEST(made.status == 201U);
    Client second(world, "bound");
    check_refused(second.register_account(second.binding_payload("kid-once", world.mac_key)), 403, "unauthorized", "is good for one account and has made it");
    check_refused(second.post(second.url("new-account"), R"({"onlyReturnExisting":true})"), 400, "accountDoesNotExist", "no account");
    // The account that it made is found by its key all the same, also when it stands no more.
    const auto kid = client.kid;
    client.kid.clear();
    BOOST_TEST(client.register_account(client.binding_payload("kid-once", world.mac_key)).status == 200U);
    BOOST_TEST(client.kid == kid);
    client.post(kid, R"({"status":"deactivated"})");
    check_refused(second.register_account(second.binding_payload("kid-once", world.mac_key)), 403, "unauthorized", "has made it");
    BOOST_TEST(world.read(audit_by_action, store::values("account.binding")).size() == 2U);
    BOOST_TEST(world.count(count_accounts) == 1);
}

BOOST_AUTO_TEST_CASE(of_64_clients_with_one_key_id_one_has_an_account) {
    std::vector<std::unique_ptr<Client>> clients;
    std::vector<http::Request> requests;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::make_unique<Client>(world, "bound"));
        auto& each = *clients.back();
        requests.push_back(each.request(each.url("new-account"), each.binding_payload("kid-once", world.mac_key)));
    }
    std::size_t made = 0;
    for (const auto& answer : all_at_once(world, std::move(requests))) {
        if (answer.status == 201U) ++made;
        else check_refused(answer, 403, "unauthorized", "has made it");
    }
    BOOST_TEST(made == 1U);
    BOOST_TEST(world.count(count_accounts) == 1);
}

BOOST_AUTO_TEST_CASE(a_key_id_that_was_good_for_many_has_been_used_when_it_is_limited_to_one) {
    client.register_account(client.binding_payload("kid-web", world.mac_key));
    static constexpr store::Statement limit{"test_limit", "UPDATE account SET body = '{\"names\":[\"*\"],\"single_use\":true}' WHERE name = 'web'"};
    world.write(limit, {});
    Client second(world, "bound");
    check_refused(second.register_account(second.binding_payload("kid-web", world.mac_key)), 403, "unauthorized", "has made it");
}

BOOST_AUTO_TEST_CASE(bound_accounts_stop_with_their_key_id) {
    client.register_account(client.binding_payload("kid-web", world.mac_key));
    BOOST_TEST(client.new_order({"www.corp.example"}).status == 201U);
    world.disable_account("web");
    check_refused(client.new_order({"www.corp.example"}), 401, "unauthorized", "disabled");
}

BOOST_AUTO_TEST_SUITE_END()
