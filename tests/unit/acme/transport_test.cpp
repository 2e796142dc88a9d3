#include <boost/test/unit_test.hpp>

#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "open"};
    std::int64_t links(const http::Response& r, std::string_view value) {
        return std::ranges::count_if(r.headers, [&](const auto& h) { return h.first == "Link" && h.second == value; });
    }
};
constexpr std::string_view index_link = "<https://acme.test:8443/acme/open/directory>;rel=\"index\"";
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_transport, Fixture)

BOOST_AUTO_TEST_CASE(the_directory_lists_what_works) {
    const auto r = world.get("/acme/open/directory");
    BOOST_TEST(r.status == 200U);
    BOOST_TEST(r.header("Content-Type") == "application/json");
    BOOST_TEST(r.body ==
               R"({"newNonce":"https://acme.test:8443/acme/open/new-nonce","newAccount":"https://acme.test:8443/acme/open/new-account","newOrder":"https://acme.test:8443/acme/open/new-order","revokeCert":"https://acme.test:8443/acme/open/revoke-cert","newAuthz":"https://acme.test:8443/acme/open/new-authz","keyChange":"https://acme.test:8443/acme/open/key-change","renewalInfo":"https://acme.test:8443/acme/open/renewal-info","meta":{"externalAccountRequired":false,"profiles":{"server":"Web servers","short":"short"}}})");
    BOOST_TEST(world.get("/acme/bound/directory").body.find(R"("externalAccountRequired":true)") != std::string::npos);
    BOOST_TEST(world.get("/acme/terms/directory").body.find(R"("termsOfService":"https://acme.test/terms")") != std::string::npos);
    BOOST_TEST(links(r, index_link) == 0);
}

BOOST_AUTO_TEST_CASE(new_nonce_answers_head_with_200_and_get_with_204) {
    const auto head = world.get("/acme/open/new-nonce", http::Method::head);
    BOOST_TEST(head.status == 200U);
    const auto get = world.get("/acme/open/new-nonce");
    BOOST_TEST(get.status == 204U);
    for (const auto& r : {head, get}) {
        BOOST_TEST(!r.header("Replay-Nonce").empty());
        BOOST_TEST(r.header("Cache-Control") == "no-store");
        BOOST_TEST(links(r, index_link) == 1);
    }
}

BOOST_AUTO_TEST_CASE(directory_and_new_nonce_are_read_by_post_as_get_too) {
    client.register_account();
    BOOST_TEST(client.post(client.url("directory"), "").status == 200U);
    BOOST_TEST(client.post(client.url("new-nonce"), "").status == 204U);
    check_refused(client.post(client.url("new-nonce"), "{}"), 400, "malformed", "POST-as-GET");
}

BOOST_AUTO_TEST_CASE(plain_get_of_anything_else_is_405_with_allow) {
    for (const auto* path : {"/acme/open/new-account", "/acme/open/new-order", "/acme/open/revoke-cert",
                             "/acme/open/order/AAAAAAAAAAAAAAAAAAAAAA", "/acme/open/certificate/AAAAAAAAAAAAAAAAAAAAAA"}) {
        const Answer answer(world.get(path));
        BOOST_TEST(answer.status == 405U, path);
        BOOST_TEST(answer.type() == "malformed");
        BOOST_TEST(answer.response.header("Allow") == "POST, OPTIONS");
    }
}

BOOST_AUTO_TEST_CASE(unknown_endpoints_and_paths_are_404_malformed) {
    for (const auto* path : {"/acme/none/directory", "/acme/open/nothing", "/acme/open/key-changes", "/acme/open/new-order/x"}) {
        const Answer answer(world.get(path));
        BOOST_TEST(answer.status == 404U, path);
        BOOST_TEST(answer.type() == "malformed");
        BOOST_TEST(answer.response.header("Content-Type") == "application/problem+json");
    }
}

BOOST_AUTO_TEST_CASE(another_content_type_is_415) {
    auto request = client.request(client.url("new-account"), "{}");
    request.headers.at(0).second = "application/json";
    check_refused(Answer(world.send(request)), 415, "malformed", "application/jose+json");
    auto with_parameter = client.request(client.url("new-account"), "{}");
    with_parameter.headers.at(0).second = "Application/JOSE+json; charset=utf-8";
    BOOST_TEST(Answer(world.send(with_parameter)).status == 201U);
}

BOOST_AUTO_TEST_CASE(the_signed_url_is_the_requests_byte_for_byte) {
    const auto right = client.url("new-account");
    for (const std::string& wrong : {std::string("https://evil.test:8443/acme/open/new-account"), right + "?a=b", right + "/",
                                     std::string("https://acme.test:8443/acme/OPEN/new-account"),
                                     std::string("https://acme.test:8443/acme/terms/new-account")}) {
        auto header = client.header(wrong);
        const auto answer = Answer(world.send(world.post_request("/acme/open/new-account", sign_jws(client.key, header, "{}"))));
        check_refused(answer, 401, "unauthorized", "url is not the URL of this request");
        BOOST_TEST(world.run(world.nonces.redeem(header.nonce)), "the nonce must not be spent");
    }
    BOOST_TEST(world.count(count_accounts) == 0);
}

BOOST_AUTO_TEST_CASE(bad_nonces_are_refused_with_a_fresh_one_in_the_words_clients_look_for) {
    auto header = client.header(client.url("new-account"));
    const auto good = header.nonce;
    for (const std::string& wrong : {std::string(), std::string("AAAA"), good + "A"}) {
        header.nonce = wrong;
        const auto answer = client.send(header.url, header, "{}");
        check_refused(answer, 400, "badNonce", "JWS has an invalid anti-replay nonce");
        BOOST_TEST(world.run(world.nonces.redeem(std::string(answer.response.header("Replay-Nonce")))));
    }
    header.nonce = "not base64!";
    check_refused(client.send(header.url, header, "{}"), 400, "malformed", "the nonce is not base64url");
    header.nonce = good;
    BOOST_TEST(client.send(header.url, header, "{}").status == 201U);
    check_refused(client.send(header.url, header, "{}"), 400, "badNonce", "anti-replay");
    BOOST_TEST(world.count(count_accounts) == 1);
}

BOOST_AUTO_TEST_CASE(a_wrong_signature_spends_no_nonce) {
    auto header = client.header(client.url("new-account"));
    const auto other = crypto::PrivateKey::generate(crypto::KeySpec());
    const auto body = sign_jws(other, header, "{}");
    check_refused(Answer(world.send(world.post_request("/acme/open/new-account", body))), 400, "malformed", "does not verify");
    BOOST_TEST(world.run(world.nonces.redeem(header.nonce)));
}

BOOST_AUTO_TEST_CASE(each_resource_takes_its_own_kind_of_key) {
    auto jwk_header = client.header(client.url("new-order"));
    check_refused(client.send(jwk_header.url, jwk_header, "{}"), 400, "malformed", "send kid, not jwk");
    client.register_account();
    auto kid_header = client.header(client.url("new-account"));
    check_refused(client.send(kid_header.url, kid_header, "{}"), 400, "malformed", "send jwk, not kid");
}

BOOST_AUTO_TEST_CASE(a_kid_that_names_no_account_here_does_not_exist) {
    client.register_account();
    const auto own = client.kid;
    for (const std::string& wrong : {client.url("account/AAAAAAAAAAAAAAAAAAAAAA"), std::string("1"), own + "/",
                                     "https://evil.test" + own.substr(base.size()),
                                     std::string("https://acme.test:8443/acme/terms/account/") + own.substr(own.size() - 22)}) {
        auto header = client.header(own);
        header.kid = wrong;
        check_refused(client.send(own, header, ""), 400, "accountDoesNotExist", "account URL exactly");
    }
    // The same account under another directory is as absent (J11).
    Client elsewhere(world, "terms");
    elsewhere.key = client.key;
    auto header = elsewhere.header(elsewhere.url("new-order"));
    header.jwk.clear();
    header.kid = own;
    check_refused(elsewhere.send(header.url, header, "{}"), 400, "accountDoesNotExist", "account URL exactly");
}

BOOST_AUTO_TEST_CASE(an_algorithm_that_does_not_fit_names_those_that_would) {
    auto header = client.header(client.url("new-account"));
    header.alg = "ES384";
    const auto answer = client.send(header.url, header, "{}");
    check_refused(answer, 400, "badSignatureAlgorithm", "ES384 does not go with");
    BOOST_TEST(answer.list("algorithms").size() == 5U);
}

BOOST_AUTO_TEST_CASE(every_account_key_type_makes_an_account) {
    for (const auto* spec : {"ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048"}) {
        Client of_type(world, "open", *crypto::KeySpec::from(spec));
        BOOST_TEST(of_type.register_account().status == 201U, spec);
        BOOST_TEST(of_type.post(of_type.kid, "").status == 200U, spec);
    }
}

BOOST_AUTO_TEST_CASE(every_answer_has_one_nonce_no_store_and_the_index) {
    client.register_account();
    for (const auto& answer : {client.post(client.kid, ""), client.post(client.url("order/AAAAAAAAAAAAAAAAAAAAAA"), "")}) {
        const auto& headers = answer.response.headers;
        BOOST_TEST(std::ranges::count_if(headers, [](const auto& h) { return h.first == "Replay-Nonce"; }) == 1);
        BOOST_TEST(answer.response.header("Cache-Control") == "no-store");
        BOOST_TEST(links(answer.response, index_link) == 1);
    }
}

BOOST_AUTO_TEST_SUITE_END()
