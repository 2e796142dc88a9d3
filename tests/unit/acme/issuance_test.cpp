#include <boost/test/unit_test.hpp>

#include "core/crypto/certificate.hpp"
#include "tests/unit/acme/at_once.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "open"};
    crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
    Fixture() { client.register_account(); }
    Answer ready_order(const std::vector<std::string>& names) {
        auto order = client.new_order(names);
        client.validate(order);
        return order;
    }
    std::string location(const Answer& a) { return std::string(a.response.header("Location")); }
    core::Bytes leaf_of(const Answer& order) {
        const auto pem = client.post(order.text("certificate"), "").response.body;
        return crypto::from_pem("CERTIFICATE", pem)->at(0);
    }
    std::string revoke_payload(const core::Bytes& der, std::string_view more = {}) {
        return R"({"certificate":")" + core::base64url(der) + "\"" + std::string(more) + "}";
    }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_issuance, Fixture)

BOOST_AUTO_TEST_CASE(a_beginning_that_slips_back_during_validation_is_as_early_as_it_may_be) {
    const auto begin = core::floor_seconds(world.clock.now());
    const auto order = client.new_order({"late.example"}, "\"notBefore\":\"" + core::rfc3339(begin) + "\"");
    client.validate(order);
    world.clock.advance(std::chrono::minutes(10));
    const auto done = client.post(order.text("finalize"), Client::csr_payload(key, {"late.example"}));
    BOOST_TEST_REQUIRE(done.text("status") == "valid");
    const auto leaf = crypto::Certificate::parse(leaf_of(done)).value();
    BOOST_TEST(core::rfc3339(leaf.not_before()) == core::rfc3339(begin + std::chrono::minutes(9)));  // a minute back
}

BOOST_AUTO_TEST_CASE(the_whole_way_to_a_certificate) {
    const auto order = client.new_order({"a.example", "b.example"});
    for (const auto& authorization : order.list("authorizations")) {
        const auto challenge_url = client.challenge_url(authorization);
        const auto started = client.post(challenge_url, "{}");
        BOOST_TEST(started.status == 200U);
        BOOST_TEST(started.text("status") == "valid");
        BOOST_TEST(started.text("url") == challenge_url);
        BOOST_TEST(!started.text("validated").empty());
        BOOST_TEST(std::ranges::any_of(started.response.headers, [&](const auto& h) { return h.second == "<" + authorization + ">;rel=\"up\""; }));
        BOOST_TEST(client.post(authorization, "").text("status") == "valid");
        BOOST_TEST(client.post(challenge_url, "{}").response.body == started.response.body);
    }
    const auto jwk = crypto::parse_jwk(std::string_view(client.jwk()));
    BOOST_TEST(world.validator.asked.size() == 2U);
    BOOST_TEST(world.validator.asked.at(0).identifier == "a.example");
    BOOST_TEST(world.validator.asked.at(0).key_authorization == world.validator.asked.at(0).token + "." + jwk->thumbprint);
    BOOST_TEST(client.post(location(order), "").text("status") == "ready");

    const auto done = client.post(order.text("finalize"), Client::csr_payload(key, {"b.example", "a.example"}));
    BOOST_TEST(done.status == 200U);
    BOOST_TEST(done.text("status") == "valid");
    BOOST_TEST(done.response.header("Location") == order.response.header("Location"));
    const auto certificate = client.post(done.text("certificate"), "");
    BOOST_TEST(certificate.status == 200U);
    BOOST_TEST(certificate.response.header("Content-Type") == "application/pem-certificate-chain");
    const auto chain = crypto::from_pem("CERTIFICATE", certificate.response.body);
    BOOST_TEST_REQUIRE(chain->size() >= 2U);
    const auto leaf = crypto::Certificate::parse(chain->at(0));
    const auto issuer = crypto::Certificate::parse(chain->at(1));
    BOOST_TEST((leaf->issuer_der() == issuer->subject_der()));
    BOOST_TEST((leaf->spki() == key.public_key().spki()));
    BOOST_TEST(leaf->alt_names().size() == 2U);
    BOOST_TEST(certificate.response.body.ends_with("-----END CERTIFICATE-----\n"));
    BOOST_TEST(world.faults.empty());
}

BOOST_AUTO_TEST_CASE(a_failed_validation_ends_challenge_authorization_and_order) {
    world.validator.failures["b.example"] = core::Problem(core::ProblemKind::incorrect_response, "the file has other content");
    const auto order = client.new_order({"a.example", "b.example"});
    client.validate(order);
    const auto failed = client.post(order.list("authorizations").at(1), "");
    BOOST_TEST(failed.text("status") == "invalid");
    const auto challenge = failed.document->root()["challenges"].items().at(0);
    BOOST_TEST(challenge["status"].string().value() == "invalid");
    BOOST_TEST(challenge["error"]["type"].string().value() == "urn:ietf:params:acme:error:incorrectResponse");
    BOOST_TEST(challenge["error"]["detail"].string().value() == "the file has other content [check validation.http-01, request testrequest00000]");
    const auto ended = client.post(location(order), "");
    BOOST_TEST(ended.text("status") == "invalid");
    BOOST_TEST(ended.response.body.find("the file has other content") != std::string::npos);
    check_refused(client.post(order.text("finalize"), Client::csr_payload(key, {"a.example", "b.example"})), 403, "orderNotReady", "invalid");
    const auto audit = world.read(audit_by_action, store::values("authorization.invalid"));
    BOOST_TEST(audit.size() == 1U);
    BOOST_TEST(audit.at(0).text(1) == "validation.http-01");
}

BOOST_AUTO_TEST_CASE(a_validation_that_could_not_be_tried_leaves_the_challenge_pending) {
    world.validator.failures["a.example"] = core::Problem(core::ProblemKind::unavailable, "the resolver is away");
    const auto order = client.new_order({"a.example"});
    const auto challenge = client.challenge_url(order.list("authorizations").at(0));
    BOOST_TEST(client.post(challenge, "{}").text("status") == "pending");
    world.validator.failures.clear();
    BOOST_TEST(client.post(challenge, "{}").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(of_64_posts_of_one_challenge_one_validates) {
    const auto order = client.new_order({"a.example"});
    const auto challenge = client.challenge_url(order.list("authorizations").at(0));
    std::vector<http::Request> requests;
    for (int i = 0; i < 64; ++i) requests.push_back(client.request(challenge, "{}"));
    for (const auto& answer : all_at_once(world, std::move(requests))) BOOST_TEST(answer.text("status") == "valid");
    BOOST_TEST(world.validator.asked.size() == 1U);
    BOOST_TEST(world.read(audit_by_action, store::values("authorization.valid")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_slow_validation_is_answered_as_processing_and_goes_on) {
    const auto order = client.new_order({"a.example"});
    const auto challenge = client.challenge_url(order.list("authorizations").at(0));
    world.validator.held = true;
    auto request = client.request(challenge, "{}");
    request.deadline = core::deadline_in(std::chrono::milliseconds(50));
    const Answer waiting(world.send(std::move(request)));
    BOOST_TEST(waiting.text("status") == "processing");
    BOOST_TEST(waiting.response.header("Retry-After") == "1");
    const auto authorization = client.post(order.list("authorizations").at(0), "");
    BOOST_TEST(authorization.text("status") == "pending");
    BOOST_TEST(authorization.response.header("Retry-After") == "1");
    world.validator.held = false;
    BOOST_TEST(client.post(challenge, "{}").text("status") == "valid");
    BOOST_TEST(world.validator.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(validations_that_a_stop_left_processing_are_taken_up_again) {
    const auto order = client.new_order({"a.example"});
    const auto challenge = client.challenge_url(order.list("authorizations").at(0));
    static constexpr store::Statement leave{"test_leave", "UPDATE acme_challenge SET status = 'processing' WHERE method = 'http-01'"};
    world.write(leave, {});
    BOOST_TEST(world.run(world.acme->attempt_due()) == 1U);
    BOOST_TEST(client.post(challenge, "{}").text("status") == "valid");
    BOOST_TEST(world.validator.asked.size() == 1U);
}

BOOST_AUTO_TEST_CASE(finalize_before_the_proofs_is_order_not_ready) {
    const auto order = client.new_order({"a.example"});
    check_refused(client.post(order.text("finalize"), Client::csr_payload(key, {"a.example"})), 403, "orderNotReady", "pending: validate all");
    BOOST_TEST(client.post(location(order), "").text("status") == "pending");
    BOOST_TEST(world.count(count_enrollments) == 0);
}

BOOST_AUTO_TEST_CASE(csrs_that_do_not_fit_leave_the_order_ready) {
    const auto order = ready_order({"a.example", "b.example"});
    const auto finalize = order.text("finalize");
    check_refused(client.post(finalize, Client::csr_payload(key, {"a.example"})), 400, "badCSR", "lacks b.example");
    check_refused(client.post(finalize, Client::csr_payload(key, {"a.example", "b.example", "c.example"})), 400, "badCSR", "c.example");
    check_refused(client.post(finalize, Client::csr_payload(client.key, {"a.example", "b.example"})), 400, "badCSR", "key of an ACME account");
    Client other(world, "terms");
    other.register_account();
    check_refused(client.post(finalize, Client::csr_payload(other.key, {"a.example", "b.example"})), 400, "badCSR", "key of an ACME account");
    check_refused(client.post(finalize, R"({"csr":"AAAA"})"), 400, "badCSR", "");
    check_refused(client.post(finalize, R"({"csr":"-----BEGIN"})"), 400, "malformed", "not PEM");
    check_refused(client.post(finalize, "{}"), 400, "malformed", "csr");
    BOOST_TEST(client.post(location(order), "").text("status") == "ready");
    BOOST_TEST(world.count(count_certificates) == 0);
    BOOST_TEST(client.post(finalize, Client::csr_payload(key, {"a.example", "b.example"})).text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(the_same_csr_again_is_the_same_answer_and_another_comes_too_late) {
    const auto order = ready_order({"a.example"});
    const auto payload = Client::csr_payload(key, {"a.example"});
    const auto first = client.post(order.text("finalize"), payload);
    const auto again = client.post(order.text("finalize"), payload);
    BOOST_TEST(again.status == 200U);
    BOOST_TEST(again.response.body == first.response.body);
    const auto other = crypto::PrivateKey::generate(crypto::KeySpec());
    check_refused(client.post(order.text("finalize"), Client::csr_payload(other, {"a.example"})), 403, "orderNotReady", "another CSR");
    BOOST_TEST(world.count(count_certificates) == 1);
}

BOOST_AUTO_TEST_CASE(of_64_finalizes_one_issues) {
    const auto order = ready_order({"a.example"});
    std::vector<http::Request> requests;
    for (int i = 0; i < 64; ++i)
        requests.push_back(client.request(order.text("finalize"), Client::csr_payload(i % 2 == 0 ? key : crypto::PrivateKey::generate(crypto::KeySpec()), {"a.example"})));
    int finished = 0;
    for (const auto& answer : all_at_once(world, std::move(requests))) {
        if (answer.status == 200U) ++finished;
        else check_refused(answer, 403, "orderNotReady", "by another CSR");
    }
    BOOST_TEST(finished >= 1);
    BOOST_TEST(world.count(count_certificates) == 1);
    BOOST_TEST(client.post(location(order), "").text("status") == "valid");
}

BOOST_AUTO_TEST_CASE(certificates_are_for_the_account_that_ordered_them) {
    const auto done = client.issue(key, {"a.example"});
    Client other(world, "open");
    other.register_account();
    check_refused(other.post(done.text("certificate"), ""), 404, "malformed", "no such resource");
    check_refused(client.post(done.text("certificate"), "{}"), 400, "malformed", "POST-as-GET");
}

BOOST_AUTO_TEST_CASE(an_account_revokes_what_it_ordered_once) {
    const auto leaf = leaf_of(client.issue(key, {"a.example"}));
    const auto url = client.url("revoke-cert");
    for (const auto* reason : {",\"reason\":7", ",\"reason\":99", ",\"reason\":-1"})
        check_refused(client.post(url, revoke_payload(leaf, reason)), 400, "badRevocationReason", "1 keyCompromise");
    const auto done = client.post(url, revoke_payload(leaf, ",\"reason\":4"));
    BOOST_TEST(done.status == 200U);
    BOOST_TEST(done.response.body.empty());
    check_refused(client.post(url, revoke_payload(leaf)), 400, "alreadyRevoked", "");
    static constexpr store::Statement reason{"test_reason", "SELECT revoked_reason FROM certificate"};
    BOOST_TEST(world.count(reason) == 4);
}

BOOST_AUTO_TEST_CASE(the_certificates_own_key_revokes_as_compromised) {
    const auto leaf = leaf_of(client.issue(key, {"a.example"}));
    Client holder(world, "open");
    holder.key = key;
    BOOST_TEST(holder.post(holder.url("revoke-cert"), revoke_payload(leaf)).status == 200U);
    static constexpr store::Statement reason{"test_reason", "SELECT revoked_reason FROM certificate"};
    BOOST_TEST(world.count(reason) == 1);
}

BOOST_AUTO_TEST_CASE(nobody_else_revokes) {
    const auto leaf = leaf_of(client.issue(key, {"a.example"}));
    Client other(world, "open");
    Client stranger(world, "open");
    other.register_account();
    check_refused(other.post(other.url("revoke-cert"), revoke_payload(leaf)), 403, "unauthorized", "[check revocation.authority");
    check_refused(stranger.post(stranger.url("revoke-cert"), revoke_payload(leaf)), 403, "unauthorized", "own key");
    auto foreign = leaf;
    foreign.back() ^= 1;
    check_refused(client.post(client.url("revoke-cert"), revoke_payload(foreign)), 404, "malformed", "not issued here");
    check_refused(client.post(client.url("revoke-cert"), "{}"), 400, "malformed", "certificate");
    check_refused(client.post(client.url("revoke-cert"), R"({"certificate":"=="})"), 400, "malformed", "base64url");
    static constexpr store::Statement revoked{"test_revoked", "SELECT count(*) FROM certificate WHERE status = 'revoked'"};
    BOOST_TEST(world.count(revoked) == 0);
    BOOST_TEST(world.read(audit_by_action, store::values("certificate.revocation")).size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_order_is_not_finalized_past_its_validations) {
    const auto order = ready_order({"a.example"});
    world.clock.advance(std::chrono::hours(24 * 7));
    check_refused(client.post(order.text("finalize"), Client::csr_payload(key, {"a.example"})), 403, "orderNotReady", "invalid");
    BOOST_TEST(world.count(count_enrollments) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
