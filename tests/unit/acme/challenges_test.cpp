#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/challenges.hpp"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using core::ProblemKind;

namespace {

constexpr std::string_view with_everything = R"({"names_limit":3,"ip_names":true,"challenges":["http-01","tls-alpn-01","dns-01","dns-account-01"]})";
constexpr std::string_view with_caa = R"({"caa":"enforce","caa_identities":["ca.example"]})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_challenges, Challenges)

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
