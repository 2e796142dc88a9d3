#include <boost/test/unit_test.hpp>

#include "acme/restored.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "open"};
    Fixture() { client.register_account(); }
};
struct BoundFixture {
    World world;
    Client client{world, "bound"};
    BoundFixture() { client.register_account(client.binding_payload("kid-web", world.mac_key)); }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_order, Fixture)

BOOST_AUTO_TEST_CASE(an_order_has_an_authorization_a_name_and_is_readable_at_once) {
    const auto made = client.new_order({"WWW.Example.com", "b.example.com", "www.example.com"});
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(made.text("status") == "pending");
    BOOST_TEST(made.text("profile") == "server");
    BOOST_TEST(made.response.body.find(
                   R"("identifiers":[{"type":"dns","value":"www.example.com"},{"type":"dns","value":"b.example.com"}])") != std::string::npos);
    BOOST_TEST(made.list("authorizations").size() == 2U);
    const std::string location(made.response.header("Location"));
    const auto read = client.post(location, "");
    BOOST_TEST(read.status == 200U);
    BOOST_TEST(read.response.body == made.response.body);
    BOOST_TEST(read.response.header("Location") == location);
    const auto authorization = client.post(made.list("authorizations").at(0), "");
    BOOST_TEST(authorization.text("status") == "pending");
    BOOST_TEST(authorization.document->root()["identifier"]["value"].string().value() == "www.example.com");
    BOOST_TEST(!authorization.document->root().contains("wildcard"));
    BOOST_TEST(world.read(audit_by_action, store::values("order.created")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(names_that_cannot_be_ordered_are_told_one_by_one) {
    struct Case {
        const char* identifier;
        const char* type;
        const char* says;
    };
    const Case cases[] = {
        {R"({"type":"dns","value":"a.*.example.com"})", "malformed", "leftmost"},
        {R"({"type":"ip","value":"192.0.2.01"})", "malformed", "not an IP address"},
        {R"({"type":"ip","value":"2001:DB8::1"})", "malformed", "write 2001:db8::1"},
        {R"({"type":"ip","value":"::1%eth0"})", "malformed", "not an IP address"},
        {R"({"type":"ip","value":"www.example"})", "malformed", "not an IP address"},
        {R"({"type":"email","value":"a@b.example"})", "unsupportedIdentifier", "type \"email\""},
        {R"({"type":"dns","value":"192.0.2.1"})", "malformed", "192.0.2.1"},
        {R"({"type":"dns","value":"a..example"})", "malformed", "a..example"},
        {R"({"type":"dns","value":""})", "malformed", ""},
        {R"({"type":"dns","value":"b\u00fccher.example"})", "rejectedIdentifier", ""},
        {R"({"type":"dns","value":"localhost"})", "rejectedIdentifier", "localhost"},
    };
    for (const auto& c : cases) {
        BOOST_TEST_CONTEXT(c.identifier) {
            const auto refused = client.post(client.url("new-order"), R"({"identifiers":[{"type":"dns","value":"good.example"},)" + std::string(c.identifier) + "]}");
            check_refused(refused, 400, c.type, c.says);
            BOOST_TEST(refused.document->root()["subproblems"].items().size() == 1U);
        }
    }
    // Of several kinds: the one of RFC 8555 that fits any name.
    check_refused(client.new_order({"a..example", "localhost"}), 400, "rejectedIdentifier", "and 1 more");
    const auto two = client.new_order({"localhost", "intranet"});
    check_refused(two, 400, "rejectedIdentifier", "and 1 more");
    BOOST_TEST(two.document->root()["subproblems"].items().size() == 2U);
    BOOST_TEST(world.count(count_orders) == 0);
}

BOOST_AUTO_TEST_CASE(while_nothing_is_issued_no_order_is_taken) {
    world.gate.shut({"restore.open", "restored, not opened yet", std::chrono::seconds(300)});
    const auto refused = client.new_order({"www.example.com"});
    check_refused(refused, 503, "rateLimited", "restored, not opened yet");
    BOOST_TEST(refused.text("detail").find("restore.open") != std::string::npos);
    BOOST_TEST(refused.response.header("Retry-After") == "300");
    world.gate.open("restore.open");
    BOOST_TEST(client.new_order({"www.example.com"}).status == 201U);
}

/// A restored database: what was under way at the backup is void, the account goes on.
BOOST_AUTO_TEST_CASE(what_was_under_way_before_a_restore_is_void) {
    const auto proven = client.new_order({"ready.example.com"});
    client.validate(proven);
    const std::string ready(proven.response.header("Location"));
    BOOST_TEST(client.post(ready, "").text("status") == "ready");
    const auto pending = client.new_order({"www.example.com"});
    store::Batch batch;
    acme::void_pending(batch, world.clock.now());
    world.run(world.db->write(std::move(batch))).value();
    for (const auto& url : {ready, std::string(pending.response.header("Location"))}) {
        const auto order = client.post(url, "");
        BOOST_TEST(order.text("status") == "invalid");
        BOOST_TEST(order.response.body.find("made before this server was restored from a backup and is void; make a new order") != std::string::npos);
    }
    check_refused(client.post(proven.text("finalize"), Client::csr_payload(crypto::PrivateKey::generate(crypto::KeySpec()), {"ready.example.com"})), 403,
                  "orderNotReady", "invalid");
    const auto authorization = client.post(pending.list("authorizations").at(0), "");
    BOOST_TEST(authorization.text("status") == "invalid");
    BOOST_TEST(authorization.response.body.find("restored from a backup") != std::string::npos);
    BOOST_TEST(client.new_order({"www.example.com"}).status == 201U);
}

BOOST_AUTO_TEST_CASE(payloads_without_sense_are_malformed) {
    const std::pair<const char*, const char*> cases[] = {
        {"{}", "identifiers"},
        {R"({"identifiers":[]})", "at least one"},
        {R"({"identifiers":"a"})", "identifiers"},
        {R"({"identifiers":[{"type":"dns"}]})", "value"},
        {R"({"identifiers":[{"type":"dns","value":"a.example"}],"notAfter":"tomorrow"})", "RFC 3339"},
        {R"({"identifiers":[{"type":"dns","value":"a.example"}],"notAfter":"10000-01-01T00:00:00Z"})", "RFC 3339"},
        {R"({"identifiers":[{"type":"dns","value":"a.example"}],"notAfter":"2020-01-01T00:00:00Z"})", "past"},
        {R"({"identifiers":[{"type":"dns","value":"a.example"}],"notBefore":"2027-03-01T00:00:00Z","notAfter":"2027-02-01T00:00:00Z"})", "after notBefore"},
        {R"({"identifiers":[{"type":"dns","value":"a.example"}],"profile":7})", "profile"},
    };
    for (const auto& [payload, says] : cases) check_refused(client.post(client.url("new-order"), payload), 400, "malformed", says);
    BOOST_TEST(world.count(count_orders) == 0);
}

BOOST_AUTO_TEST_CASE(more_names_than_the_profile_allows_are_refused) {
    check_refused(client.new_order({"a.example", "b.example", "c.example", "d.example"}), 400, "malformed", "3 names");
    BOOST_TEST(world.count(count_orders) == 0);
}

BOOST_AUTO_TEST_CASE(a_profile_is_asked_for_by_name) {
    const auto made = client.new_order({"a.example"}, R"("profile":"short")");
    BOOST_TEST(made.text("profile") == "short");
    check_refused(client.new_order({"a.example"}, R"("profile":"gold")"), 400, "invalidProfile", "offered: server, short");
}

BOOST_AUTO_TEST_CASE(dates_are_kept_and_echoed) {
    const auto made = client.new_order({"a.example"}, R"("notBefore":"2027-01-16T00:00:00Z","notAfter":"2027-01-20T00:00:00Z")");
    BOOST_TEST(made.text("notBefore") == "2027-01-16T00:00:00Z");
    BOOST_TEST(made.text("notAfter") == "2027-01-20T00:00:00Z");
}

BOOST_AUTO_TEST_CASE(anothers_resources_are_as_absent_as_none) {
    const auto order = client.new_order({"a.example"});
    const auto authorization = order.list("authorizations").at(0);
    const auto challenge = client.challenge_url(authorization);
    Client other(world, "open");
    other.register_account();
    const auto none = other.post(other.url("order/AAAAAAAAAAAAAAAAAAAAAA"), "").response.body;
    for (const auto& url : {std::string(order.response.header("Location")), authorization, challenge, client.url("certificate/AAAAAAAAAAAAAAAAAAAAAA")}) {
        const auto theirs = other.post(url, "");
        check_refused(theirs, 404, "malformed", "no such resource");
        BOOST_TEST(theirs.response.body == none, url);
    }
    check_refused(other.post(challenge, "{}"), 404, "malformed", "no such resource");
    check_refused(other.post(authorization, R"({"status":"deactivated"})"), 404, "malformed", "no such resource");
    check_refused(other.post(order.text("finalize"), "{}"), 404, "malformed", "no such resource");
    BOOST_TEST(world.validator.asked.empty());
}

BOOST_AUTO_TEST_CASE(an_order_that_expires_is_invalid_and_says_so) {
    const auto order = client.new_order({"a.example"});
    world.clock.advance(std::chrono::hours(24 * 7));
    const auto read = client.post(std::string(order.response.header("Location")), "");
    BOOST_TEST(read.text("status") == "invalid");
    BOOST_TEST(read.response.body.find("the order expired") != std::string::npos);
    const auto authorization = order.list("authorizations").at(0);
    BOOST_TEST(client.post(authorization, "").text("status") == "expired");
    check_refused(client.post(client.challenge_url(authorization), "{}"), 400, "malformed", "expired");
    BOOST_TEST(client.post(client.kid + "/orders", "").list("orders").empty());
}

BOOST_AUTO_TEST_CASE(a_deactivated_authorization_ends_its_order) {
    const auto order = client.new_order({"a.example"});
    const auto authorization = order.list("authorizations").at(0);
    check_refused(client.post(authorization, R"({"status":"valid"})"), 400, "malformed", "deactivated");
    BOOST_TEST(client.post(authorization, R"({"status":"deactivated"})").text("status") == "deactivated");
    const auto read = client.post(std::string(order.response.header("Location")), "");
    BOOST_TEST(read.text("status") == "invalid");
    BOOST_TEST(read.response.body.find("was deactivated") != std::string::npos);
    BOOST_TEST(client.post(authorization, R"({"status":"deactivated"})").status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(acme_order_scope, BoundFixture)

BOOST_AUTO_TEST_CASE(names_outside_the_accounts_scope_are_refused_early_with_the_check_named) {
    const auto refused = client.new_order({"www.corp.example", "evil.example"});
    check_refused(refused, 400, "rejectedIdentifier", "[check names.scope, request testrequest00000]");
    BOOST_TEST(refused.document->root()["subproblems"].items().size() == 1U);
    const auto audit = world.read(audit_by_action, store::values("order.refused"));
    BOOST_TEST(audit.size() == 1U);
    BOOST_TEST(audit.at(0).text(1) == "names.scope");
    BOOST_TEST(audit.at(0).text(2).find("\"trace\":[") != std::string::npos);
    BOOST_TEST(world.count(count_orders) == 0);
}

BOOST_AUTO_TEST_CASE(the_accounts_profiles_are_all_it_gets) {
    BOOST_TEST(client.new_order({"www.corp.example"}).text("profile") == "short");
    check_refused(client.new_order({"www.corp.example"}, R"("profile":"server")"), 400, "invalidProfile", "offered: short");
}

BOOST_AUTO_TEST_SUITE_END()
