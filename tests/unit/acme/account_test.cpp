#include <boost/test/unit_test.hpp>

#include "acme/account_keys.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "open"};
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_account, Fixture)

BOOST_AUTO_TEST_CASE(a_new_account_is_201_with_its_url_and_is_audited) {
    const auto made = client.register_account(R"({"contact":["mailto:a@b.example"],"unknown":1})");
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(client.kid.starts_with("https://acme.test:8443/acme/open/account/"));
    BOOST_TEST(made.text("status") == "valid");
    BOOST_TEST(made.list("contact").at(0) == "mailto:a@b.example");
    BOOST_TEST(made.text("orders") == client.kid + "/orders");
    const auto audit = world.read(audit_by_action, store::values("account.created"));
    BOOST_TEST(audit.size() == 1U);
    BOOST_TEST(client.kid.ends_with(audit.at(0).text(3)));
}

BOOST_AUTO_TEST_CASE(the_same_key_again_is_the_same_account) {
    client.register_account();
    const auto kid = client.kid;
    client.kid.clear();
    const auto again = client.post(client.url("new-account"), R"({"contact":["tel:1"]})");
    BOOST_TEST(again.status == 200U);
    BOOST_TEST(again.response.header("Location") == kid);
    BOOST_TEST(world.count(count_accounts) == 1);
}

BOOST_AUTO_TEST_CASE(look_up_creates_nothing) {
    check_refused(client.post(client.url("new-account"), R"({"onlyReturnExisting":true})"), 400, "accountDoesNotExist", "no account with this key");
    BOOST_TEST(world.count(count_accounts) == 0);
    client.register_account();
    client.kid.clear();
    BOOST_TEST(client.post(client.url("new-account"), R"({"onlyReturnExisting":true})").status == 200U);
    // Before terms, contacts and binding: acme.md §1.2.
    Client stranger(world, "bound");
    check_refused(stranger.post(stranger.url("new-account"), R"({"onlyReturnExisting":true,"contact":["tel:1"]})"), 400,
                  "accountDoesNotExist", "no account");
}

BOOST_AUTO_TEST_CASE(payloads_of_wrong_type_are_malformed) {
    for (const auto* payload : {"", "[]", "x", R"({"onlyReturnExisting":1})", R"({"termsOfServiceAgreed":"yes"})", R"({"contact":"mailto:a@b.example"})"})
        check_refused(client.post(client.url("new-account"), payload), 400, "malformed", "payload");
    check_refused(client.post(client.url("new-account"), R"({"contact":["tel:1"]})"), 400, "unsupportedContact", "mailto");
    check_refused(client.post(client.url("new-account"), R"({"contact":["mailto:a@b.example?cc=c@d.example"]})"), 400, "invalidContact", "header fields");
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(terms_are_agreed_to_or_nothing_happens) {
    Client careless(world, "terms");
    const auto refused = careless.post(careless.url("new-account"), "{}");
    check_refused(refused, 403, "userActionRequired", "https://acme.test/terms");
    BOOST_TEST(std::ranges::any_of(refused.response.headers, [](const auto& h) { return h.second == "<https://acme.test/terms>;rel=\"terms-of-service\""; }));
    BOOST_TEST(world.count(count_accounts) == 0);
    BOOST_TEST(careless.register_account().status == 201U);
}

BOOST_AUTO_TEST_CASE(an_account_is_read_and_its_contacts_change) {
    client.register_account();
    for (const auto* payload : {"", "{}"}) BOOST_TEST(client.post(client.kid, payload).status == 200U);
    const auto changed = client.post(client.kid, R"({"contact":["mailto:new@b.example"],"termsOfServiceAgreed":true})");
    BOOST_TEST(changed.status == 200U);
    BOOST_TEST(changed.list("contact").at(0) == "mailto:new@b.example");
    BOOST_TEST(client.post(client.kid, "").list("contact").size() == 1U);
    check_refused(client.post(client.kid, R"({"contact":["tel:1"]})"), 400, "unsupportedContact", "mailto");
    check_refused(client.post(client.kid, R"({"status":"revoked"})"), 400, "malformed", "\"deactivated\"");
    BOOST_TEST(world.read(audit_by_action, store::values("account.updated")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_deactivated_account_can_nothing_more) {
    client.register_account();
    const auto order = client.new_order({"a.example"});
    const auto gone = client.post(client.kid, R"({"status":"deactivated"})");
    BOOST_TEST(gone.status == 200U);
    BOOST_TEST(gone.text("status") == "deactivated");
    check_refused(client.post(client.kid, ""), 401, "unauthorized", "deactivated");
    check_refused(client.post(std::string(order.response.header("Location")), ""), 401, "unauthorized", "deactivated");
    client.kid.clear();
    check_refused(client.post(client.url("new-account"), "{}"), 401, "unauthorized", "deactivated");
    static constexpr store::Statement invalid{"test_invalid", "SELECT count(*) FROM acme_order WHERE status = 'invalid'"};
    BOOST_TEST(world.count(invalid) == 1);
}

BOOST_AUTO_TEST_CASE(anothers_account_is_as_absent_as_none) {
    client.register_account();
    Client other(world, "open");
    other.register_account();
    const auto theirs = client.post(other.kid, R"({"status":"deactivated"})");
    check_refused(theirs, 404, "malformed", "no such resource");
    const auto none = client.post(client.url("account/AAAAAAAAAAAAAAAAAAAAAA"), "");
    BOOST_TEST(theirs.response.body == none.response.body);
    BOOST_TEST(other.post(other.kid, "").status == 200U);
}

BOOST_AUTO_TEST_CASE(accounts_of_a_disabled_credential_stop_at_once) {
    client.register_account();
    world.disable_account("everyone");
    check_refused(client.post(client.kid, ""), 401, "unauthorized", "administrator disabled");
    Client late(world, "open");
    check_refused(late.post(late.url("new-account"), "{}"), 403, "externalAccountRequired", "externalAccountBinding");
}

BOOST_AUTO_TEST_CASE(the_orders_list_is_paged) {
    client.register_account();
    for (int i = 0; i < 101; ++i) client.new_order({"n" + std::to_string(i) + ".example"});
    const auto first = client.post(client.kid + "/orders", "");
    BOOST_TEST(first.list("orders").size() == 100U);
    std::string next;
    for (const auto& [name, value] : first.response.headers)
        if (name == "Link" && value.ends_with(";rel=\"next\"")) next = value.substr(1, value.find('>') - 1);
    BOOST_TEST_REQUIRE(!next.empty());
    const auto second = client.post(next, "");
    BOOST_TEST(second.list("orders").size() == 1U);
    Client other(world, "open");
    other.register_account();
    check_refused(other.post(client.kid + "/orders", ""), 404, "malformed", "no such resource");
}

BOOST_AUTO_TEST_CASE(the_key_cache_is_bounded_and_follows_the_row) {
    acme::AccountKeys keys(2);
    store::AcmeAccountRow row;
    for (int i = 1; i <= 3; ++i) {
        const auto jwk = crypto::parse_jwk(std::string_view(crypto::to_jwk(crypto::PrivateKey::generate(crypto::KeySpec()).public_key())));
        row.id = store::AcmeAccountId(i);
        row.jwk = jwk->canonical;
        row.thumbprint = jwk->thumbprint;
        BOOST_TEST((keys.get(row).spki() == jwk->key.spki()));
    }
    BOOST_TEST(keys.size() == 2U);
    const auto other = crypto::parse_jwk(std::string_view(client.jwk()));
    row.jwk = other->canonical;
    row.thumbprint = other->thumbprint;
    BOOST_TEST((keys.get(row).spki() == other->key.spki()));
    BOOST_TEST(keys.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
