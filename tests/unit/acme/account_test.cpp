#include <boost/test/unit_test.hpp>

#include "acme/account_cache.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

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
    // Before terms, contacts and binding (RFC 8555 §7.3.1).
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

namespace {

/// An account that is in no store.
store::AcmeAccountRow row_of(int number) {
    const auto jwk = crypto::parse_jwk(std::string_view(crypto::to_jwk(crypto::PrivateKey::generate(crypto::KeySpec()).public_key())));
    store::AcmeAccountRow row;
    row.id = store::AcmeAccountId(number);
    row.token = "account" + std::to_string(number);
    row.endpoint = core::EndpointId(7);
    row.jwk = jwk->canonical;
    row.thumbprint = jwk->thumbprint;
    row.status = "valid";
    return row;
}
acme::AccountCache::Moment moment_at(std::chrono::milliseconds since, std::int64_t configuration = 1) {
    return {configuration, acme::AccountCache::Time(std::chrono::hours(1) + since)};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_cached_account_counts_for_a_second_and_under_its_configuration) {
    acme::AccountCache cache;
    auto at = moment_at(0ms);
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", at) == nullptr));
    const auto kept = cache.keep(row_of(1), at);
    auto soon = moment_at(999ms), late = moment_at(1000ms), reconfigured = moment_at(1ms, 2);
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", soon) == kept));
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", late) == nullptr));
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", reconfigured) == nullptr));
    BOOST_TEST((cache.find(core::EndpointId(8), "account1", soon) == nullptr));
}

BOOST_AUTO_TEST_CASE(a_changed_account_is_forgotten_and_a_row_read_before_the_change_is_not_kept) {
    acme::AccountCache cache;
    auto at = moment_at(0ms), slow = moment_at(0ms);
    cache.find(core::EndpointId(7), "account1", at);
    const auto row = row_of(1);
    cache.keep(row, at);
    cache.find(core::EndpointId(7), "account2", slow);  // reads the store while somebody changes it
    cache.forget("account1");
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", at) == nullptr));
    BOOST_TEST(cache.keep(row_of(2), slow)->row.token == "account2");
    BOOST_TEST((cache.find(core::EndpointId(7), "account2", at) == nullptr));
}

BOOST_AUTO_TEST_CASE(the_account_cache_is_bounded_and_follows_the_row) {
    acme::AccountCache cache(2);
    auto at = moment_at(0ms);
    for (int i = 1; i <= 3; ++i) cache.keep(row_of(i), at);
    BOOST_TEST(cache.size() == 2U);
    BOOST_TEST((cache.find(core::EndpointId(7), "account1", at) == nullptr));
    auto changed = row_of(3);
    const auto other = crypto::parse_jwk(std::string_view(changed.jwk));
    BOOST_TEST((cache.keep(changed, at)->key.spki() == other->key.spki()));
    BOOST_TEST(cache.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
