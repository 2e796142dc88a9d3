#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using core::ProblemKind;

namespace {

struct Fixture {
    Fixture() { client.register_account(); }

    static std::string location(const Answer& answer) { return std::string(answer.response.header("Location")); }
    Answer order(const std::string& identifiers) { return client.post(client.url("new-order"), R"({"identifiers":[)" + identifiers + "]}"); }
    static std::string dns(const std::string& name) { return R"({"type":"dns","value":")" + name + "\"}"; }
    static std::string ip(const std::string& text) { return R"({"type":"ip","value":")" + text + "\"}"; }
    std::vector<std::string> offered(const Answer& order, std::size_t name = 0) {
        const auto authorization = client.post(order.list("authorizations").at(name), "");
        std::vector<std::string> methods;
        for (const auto& challenge : authorization.document->root()["challenges"].items()) methods.emplace_back(challenge["type"].string().value());
        return methods;
    }
    /// The URL of the order's challenge of that type.
    std::string challenge(const Answer& order, std::string_view type, std::size_t name = 0) {
        const auto authorization = client.post(order.list("authorizations").at(name), "");
        for (const auto& each : authorization.document->root()["challenges"].items())
            if (each["type"].string().value() == type) return std::string(each["url"].string().value());
        BOOST_FAIL("no challenge " << type);
        return {};
    }
    std::string detail(const Answer& challenge) { return std::string(challenge.document->root()["error"]["detail"].string().value()); }
    /// Lets what was started in the background go on until the challenge has that status.
    Answer until(const std::string& url, std::string_view status) {
        for (int i = 0; i < 10'000; ++i) {
            auto read = client.post(url, "");
            if (read.text("status") == status) return read;
            world.io.poll_one();
        }
        BOOST_FAIL("never " << status);
        throw std::logic_error("unreachable");
    }

    World world;
    Client client{world, "open"};
    const crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
};

constexpr std::string_view with_everything = R"({"names_limit":3,"ip_names":true,"challenges":["http-01","tls-alpn-01","dns-01","dns-account-01"]})";
constexpr std::string_view with_caa = R"({"caa":"enforce","caa_identities":["ca.example"]})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_challenges, Fixture)

BOOST_AUTO_TEST_CASE(a_name_may_be_proven_by_whatever_the_profile_takes) {
    const std::vector<std::string> usual{"http-01", "tls-alpn-01", "dns-01"};
    BOOST_TEST(offered(client.new_order({"a.example"})) == usual, boost::test_tools::per_element());
    world.set_profile(with_everything);
    const std::vector<std::string> all{"http-01", "tls-alpn-01", "dns-01", "dns-account-01"};
    BOOST_TEST(offered(client.new_order({"a.example"})) == all, boost::test_tools::per_element());
    world.set_profile(R"({"challenges":["dns-01"]})");
    BOOST_TEST(offered(client.new_order({"a.example"})) == std::vector<std::string>{"dns-01"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_question_says_how_and_who) {
    world.set_profile(with_everything);
    const auto made = client.new_order({"a.example"});
    BOOST_TEST(client.post(challenge(made, "dns-account-01"), "{}").text("status") == "valid");
    BOOST_TEST_REQUIRE(world.validator.asked.size() == 1U);
    BOOST_TEST(world.validator.asked[0].method == "dns-account-01");
    BOOST_TEST(world.validator.asked[0].account_url == client.kid);
    const auto authorization = client.post(made.list("authorizations").at(0), "");
    BOOST_TEST(authorization.document->root()["challenges"].items().size() == 1U);
    BOOST_TEST(authorization.document->root()["challenges"].items().at(0)["type"].string().value() == "dns-account-01");
}

BOOST_AUTO_TEST_CASE(a_wildcard_is_proven_in_dns_alone) {
    static constexpr store::Statement permit{"test_wildcard", "UPDATE account SET body = '{\"names\":[\"*\"],\"wildcard\":true}' WHERE name = 'everyone'"};
    check_refused(client.new_order({"*.a.example"}), 400, "rejectedIdentifier", "outside the scope");
    world.write(permit, {});
    const auto made = client.new_order({"*.a.example", "a.example"});
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(made.response.body.find(R"("identifiers":[{"type":"dns","value":"*.a.example"},{"type":"dns","value":"a.example"}])") != std::string::npos);
    const auto authorization = client.post(made.list("authorizations").at(0), "");
    BOOST_TEST(authorization.document->root()["identifier"]["value"].string().value() == "a.example");
    BOOST_TEST(authorization.document->root()["wildcard"].boolean().value());
    BOOST_TEST(!client.post(made.list("authorizations").at(1), "").document->root().contains("wildcard"));
    BOOST_TEST(offered(made) == std::vector<std::string>{"dns-01"}, boost::test_tools::per_element());
    client.post(challenge(made, "dns-01", 0), "{}");
    client.post(challenge(made, "http-01", 1), "{}");
    const auto done = client.post(made.text("finalize"), Client::csr_payload(key, {"*.a.example", "a.example"}));
    BOOST_TEST(done.text("status") == "valid");
    world.set_profile(R"({"challenges":["http-01"]})");
    check_refused(client.new_order({"*.a.example"}), 400, "rejectedIdentifier", "wildcards are proven by dns-01, and the profile takes no such challenge");
    BOOST_TEST(client.new_order({"*.a.example"}).text("detail").find("[check names.provable, ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_address_is_proven_where_it_leads) {
    check_refused(order(ip("192.0.2.7")), 400, "rejectedIdentifier", "the profile certifies no IP addresses");
    world.set_profile(with_everything);
    const auto made = order(ip("192.0.2.7") + "," + dns("a.example") + "," + ip("2001:db8::1") + "," + ip("192.0.2.7"));
    BOOST_TEST(made.status == 201U);
    BOOST_TEST(made.response.body.find(R"("identifiers":[{"type":"ip","value":"192.0.2.7"},{"type":"dns","value":"a.example"},{"type":"ip","value":"2001:db8::1"}])") !=
               std::string::npos);
    const std::vector<std::string> methods{"http-01", "tls-alpn-01"};
    BOOST_TEST(offered(made) == methods, boost::test_tools::per_element());
    for (std::size_t i = 0; i < 3; ++i) client.post(challenge(made, "http-01", i), "{}");
    BOOST_TEST(world.validator.asked.at(2).identifier_type == "ip");
    BOOST_TEST(world.validator.asked.at(2).identifier == "2001:db8::1");
    const auto csr = [&](const std::vector<crypto::GeneralName>& names) {
        json::Writer w;
        w.begin_object().member("csr", core::base64url(crypto::make_csr(key, crypto::DistinguishedName(), names))).end_object();
        return w.take();
    };
    using crypto::GeneralName;
    using Type = crypto::GeneralNameType;
    const GeneralName a(Type::dns, "a.example"), four(Type::ip, "192.0.2.7"), six(Type::ip, "2001:db8::1");
    check_refused(client.post(made.text("finalize"), csr({a, four})), 400, "badCSR", "lacks 2001:db8::1");
    check_refused(client.post(made.text("finalize"), csr({a, four, six, GeneralName(Type::ip, "192.0.2.8")})), 400, "badCSR", "192.0.2.8");
    const auto done = client.post(made.text("finalize"), csr({six, a, four}));
    BOOST_TEST(done.text("status") == "valid");
    const auto chain = crypto::from_pem("CERTIFICATE", client.post(done.text("certificate"), "").response.body);
    const auto names = crypto::Certificate::parse(chain->at(0))->alt_names();
    BOOST_TEST((names.size() == 3U && std::ranges::count(names, Type::ip, &GeneralName::type) == 2));
    world.set_profile(R"({"ip_names":true,"challenges":["dns-01"]})");
    check_refused(order(ip("192.0.2.7")), 400, "rejectedIdentifier", "addresses are proven by http-01 or tls-alpn-01, and the profile takes no such challenge");
}

BOOST_AUTO_TEST_CASE(a_proof_by_a_method_that_was_withdrawn_counts_no_more) {
    const auto made = client.new_order({"a.example"});
    client.post(challenge(made, "http-01"), "{}");
    world.set_profile(R"({"challenges":["dns-01"]})");
    check_refused(client.post(made.text("finalize"), Client::csr_payload(key, {"a.example"})), 400, "rejectedIdentifier",
                  "it was proven by http-01, which the profile does not take any more");
    // A later order does not rest on it.
    const auto again = client.new_order({"a.example"});
    BOOST_TEST(again.text("status") == "pending");
    client.post(challenge(again, "dns-01"), "{}");
    BOOST_TEST(client.post(location(again), "").text("status") == "ready");
    // The proof that ends last is by http-01 again: the older one by dns-01 stands, once that alone is taken.
    client.post(made.list("authorizations").at(0), R"({"status":"deactivated"})");
    world.clock.advance(1min);
    world.set_profile(R"({"challenges":["http-01"]})");
    client.post(challenge(client.new_order({"a.example"}), "http-01"), "{}");
    world.set_profile(R"({"challenges":["dns-01"]})");
    BOOST_TEST(client.new_order({"a.example"}).text("status") == "ready");
}

// ---- attempts (RFC 8555 §8.2)

BOOST_AUTO_TEST_CASE(what_may_pass_is_tried_again_on_a_schedule) {
    world.serve({2s, 5s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "dns-01");
    const auto first = client.post(url, "{}");
    BOOST_TEST(first.text("status") == "processing");
    BOOST_TEST(detail(first).starts_with("there is no record yet; attempt 1, the next one follows at 2027-01-15T08:00:02Z"), detail(first));
    BOOST_TEST(first.response.header("Retry-After") == "3");
    BOOST_TEST(client.post(made.list("authorizations").at(0), "").text("status") == "pending");
    BOOST_TEST(client.post(made.list("authorizations").at(0), "").response.header("Retry-After") == "3");
    BOOST_TEST(client.post(location(made), "").text("status") == "pending");
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    while (world.validator.asked.size() < 2 || detail(client.post(url, "")).find("attempt 2") == std::string::npos) world.io.poll_one();
    world.validator.failures.clear();
    world.clock.advance(5s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    const auto valid = until(url, "valid");
    BOOST_TEST(!valid.document->root().contains("error"));
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
    BOOST_TEST(world.validator.asked.size() == 3U);
    const auto audit = world.read(audit_by_action, store::values("authorization.attempted"));
    BOOST_TEST_REQUIRE(audit.size() == 2U);
    BOOST_TEST((audit.at(0).text(0) == "refused" && audit.at(0).text(1) == "validation.dns-01"));
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
}

BOOST_AUTO_TEST_CASE(the_last_attempt_is_final) {
    world.serve({2s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::connection, "connection refused");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    BOOST_TEST(client.post(url, "{}").text("status") == "processing");
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    const auto failed = until(url, "invalid");
    BOOST_TEST(failed.document->root()["error"]["type"].string().value() == "urn:ietf:params:acme:error:connection");
    BOOST_TEST(detail(failed).starts_with("connection refused [check validation.http-01"));
    BOOST_TEST(client.post(location(made), "").text("status") == "invalid");
    BOOST_TEST(client.post(url, "{}").text("status") == "invalid");
    BOOST_TEST(world.validator.asked.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_post_brings_the_next_attempt_forward_and_that_has_an_end) {
    world.serve({1h});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "dns-01");
    for (int attempt = 1; attempt < 20; ++attempt) BOOST_TEST(client.post(url, "{}").text("status") == "processing");
    BOOST_TEST(client.post(url, "{}").text("status") == "invalid");
    BOOST_TEST(world.validator.asked.size() == 20U);
    const auto again = client.new_order({"a.example"});
    const auto second = challenge(again, "dns-01");
    BOOST_TEST(client.post(second, "{}").text("status") == "processing");
    world.validator.failures.clear();
    BOOST_TEST(client.post(second, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(what_cannot_pass_is_final_at_once) {
    world.serve({2s});
    world.validator.failures["a.example"] = core::Problem(ProblemKind::incorrect_response, "other content");
    const auto made = client.new_order({"a.example"});
    BOOST_TEST(client.post(challenge(made, "http-01"), "{}").text("status") == "invalid");
}

BOOST_AUTO_TEST_CASE(nobody_could_be_asked_time_and_again_and_the_challenge_waits) {
    world.serve({2s});
    world.validator.failures["a.example"] = core::Problem(ProblemKind::unavailable, "the resolver is away");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    const auto first = client.post(url, "{}");
    BOOST_TEST((first.text("status") == "processing" && !first.document->root().contains("error")));
    world.clock.advance(2s);
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    until(url, "pending");
    world.validator.failures.clear();
    BOOST_TEST(client.post(url, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(another_challenge_that_decides_ends_the_waiting_one) {
    world.serve({2s});
    world.validator.passing = true;
    world.validator.failures["a.example"] = core::Problem(ProblemKind::dns, "there is no record yet");
    const auto made = client.new_order({"a.example"});
    const auto waiting = challenge(made, "dns-01"), other = challenge(made, "http-01");
    BOOST_TEST(client.post(waiting, "{}").text("status") == "processing");
    world.validator.failures.clear();
    BOOST_TEST(client.post(other, "{}").text("status") == "valid");
    BOOST_TEST(world.run(world.acme->attempt_due()) == 0U);
    const auto ended = client.post(waiting, "");
    BOOST_TEST(ended.text("status") == "invalid");
    BOOST_TEST(detail(ended).starts_with("the authorization ended while"));
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
}

/// V18: the store says who makes the attempt.
BOOST_AUTO_TEST_CASE(of_several_nodes_one_makes_the_attempt) {
    world.serve({1h}, true);
    acme::Acme other(acme::Deps{*world.db, world.numbers, world.catalog, *world.enrollment, *world.revocation, world.backends, world.validator, world.caa,
                                world.sealer, world.nonces, world.tasks, world.random, world.clock, *world.clock_agreement, world.log, world.metrics,
                                std::string(base), {1h}, true});
    http::Router there;
    other.add_routes(there);
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    world.validator.held = true;
    auto request = client.request(url, "{}");
    request.deadline = core::deadline_in(50ms);
    const Answer here(world.send(std::move(request)));
    BOOST_TEST(here.text("status") == "processing");
    const Answer elsewhere(world.run(there.handle(client.request(url, "{}"))));
    BOOST_TEST((elsewhere.status == 200U && elsewhere.text("status") == "processing"));
    BOOST_TEST(world.run(other.attempt_due()) == 0U);
    BOOST_TEST(world.validator.asked.size() == 1U);
    // The first node stands still for so long that its attempt counts as over.
    world.clock.advance(61s);
    BOOST_TEST(world.run(other.attempt_due()) == 1U);
    while (world.validator.asked.size() < 2) world.io.poll_one();
    world.validator.held = false;
    until(url, "valid");
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.valid")).size() == 1U);
}

// ---- CAA (RFC 8659)

BOOST_AUTO_TEST_CASE(identities_are_told_where_they_are_looked_for) {
    BOOST_TEST(!Answer(world.get("/acme/open/directory")).document->root()["meta"].contains("caaIdentities"));
    world.set_profile(R"({"caa":"enforce","caa_identities":["ca.example","old.example"]})");
    BOOST_TEST(world.get("/acme/open/directory").body.find(R"("caaIdentities":["ca.example","old.example"])") != std::string::npos);
    BOOST_TEST(!Answer(world.get("/acme/bound/directory")).document->root()["meta"]["caaIdentities"].items().empty());
}

BOOST_AUTO_TEST_CASE(without_the_profiles_wish_nobody_is_asked) {
    world.caa.failures["a.example"] = core::Problem(ProblemKind::caa, "forbidden");
    BOOST_TEST(client.issue(key, {"a.example"}).text("status") == "valid");
    BOOST_TEST(world.caa.asked.empty());
}

BOOST_AUTO_TEST_CASE(the_owner_is_asked_once_control_is_proven) {
    world.set_profile(with_caa);
    BOOST_TEST(client.issue(key, {"a.example"}).text("status") == "valid");
    BOOST_TEST_REQUIRE(world.caa.asked.size() == 1U);  // and not again within eight hours
    const auto& asked = world.caa.asked[0];
    BOOST_TEST((asked.name == "a.example" && asked.method == "http-01" && asked.account_url == client.kid));
    BOOST_TEST(asked.identities == std::vector<std::string>{"ca.example"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_owner_who_forbids_ends_the_challenge) {
    world.serve({2s});
    world.set_profile(with_caa);
    world.caa.failures["a.example"] = core::Problem(ProblemKind::caa, "CAA records of a.example forbid it", "names.caa");
    const auto made = client.new_order({"a.example"});
    const auto failed = client.post(challenge(made, "http-01"), "{}");
    BOOST_TEST(failed.text("status") == "invalid");
    BOOST_TEST(failed.document->root()["error"]["type"].string().value() == "urn:ietf:params:acme:error:caa");
    BOOST_TEST(failed.document->root()["error"]["status"].integer().value() == 403);
    BOOST_TEST(detail(failed).find("CAA records of a.example forbid it [check names.caa, request ") != std::string::npos);
    const auto ended = client.post(location(made), "");
    BOOST_TEST((ended.text("status") == "invalid" && ended.response.body.find("\"value\":\"a.example\"") != std::string::npos));
    const auto audit = world.read(audit_by_action, store::values("authorization.invalid"));
    BOOST_TEST_REQUIRE(audit.size() == 1U);
    BOOST_TEST(audit.at(0).text(1) == "names.caa");
    BOOST_TEST(audit.at(0).text(2).find("CAA of a.example, says this test") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_look_up_of_caa_that_failed_is_tried_again) {
    world.serve({2s});
    world.set_profile(with_caa);
    world.caa.failures["a.example"] = core::Problem(ProblemKind::dns, "SERVFAIL");
    const auto made = client.new_order({"a.example"});
    const auto url = challenge(made, "http-01");
    BOOST_TEST(client.post(url, "{}").text("status") == "processing");
    world.caa.failures.clear();
    BOOST_TEST(client.post(url, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(after_eight_hours_the_owner_is_asked_again) {
    world.set_profile(with_caa);
    const auto made = client.new_order({"a.example", "b.example"});
    client.validate(made);
    BOOST_TEST(world.caa.asked.size() == 2U);
    world.clock.advance(8h);
    world.caa.failures["b.example"] = core::Problem(ProblemKind::caa, "CAA records of b.example forbid it", "names.caa");
    const auto refused = client.post(made.text("finalize"), Client::csr_payload(key, {"a.example", "b.example"}));
    check_refused(refused, 403, "caa", "CAA records of b.example forbid it");
    BOOST_TEST_REQUIRE(refused.document->root()["subproblems"].items().size() == 1U);
    BOOST_TEST(refused.document->root()["subproblems"].items().at(0)["identifier"]["value"].string().value() == "b.example");
    BOOST_TEST(world.caa.asked.size() == 4U);
    BOOST_TEST((world.caa.asked[3].method == "http-01" && world.caa.asked[3].account_url == client.kid));
    BOOST_TEST(world.count(count_certificates) == 0);
    BOOST_TEST(client.post(location(made), "").text("status") == "ready");
    world.caa.failures["b.example"] = core::Problem(ProblemKind::dns, "SERVFAIL", "names.caa");
    check_refused(client.post(made.text("finalize"), Client::csr_payload(key, {"a.example", "b.example"})), 400, "dns", "SERVFAIL");
    world.caa.failures.clear();
    BOOST_TEST(client.post(made.text("finalize"), Client::csr_payload(key, {"a.example", "b.example"})).text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(a_proof_from_before_the_profiles_wish_was_never_looked_at) {
    const auto made = client.new_order({"a.example"});
    client.validate(made);
    world.set_profile(with_caa);
    world.caa.failures["a.example"] = core::Problem(ProblemKind::caa, "forbidden", "names.caa");
    check_refused(client.post(made.text("finalize"), Client::csr_payload(key, {"a.example"})), 403, "caa", "forbidden");
    BOOST_TEST(world.caa.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_address_has_no_owner_in_dns) {
    world.set_profile(R"({"ip_names":true,"caa":"enforce","caa_identities":["ca.example"]})");
    const auto made = order(ip("192.0.2.7"));
    BOOST_TEST(client.post(challenge(made, "http-01"), "{}").text("status") == "valid");
    BOOST_TEST(world.caa.asked.empty());
}

BOOST_AUTO_TEST_SUITE_END()
