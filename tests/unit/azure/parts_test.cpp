#include <set>

#include "azure/aadsts.hpp"
#include "azure/bodies.hpp"
#include "azure/breaker.hpp"
#include "azure/credential.hpp"
#include "azure/wire.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/rsa_pss.hpp"
#include "core/json/reader.hpp"
#include "tests/unit/azure/support.hpp"

BOOST_AUTO_TEST_SUITE(azure_parts)

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_CASE(retry_after_is_seconds_or_a_date) {
    const auto now = core::from_rfc3339("2026-11-21T08:00:00Z").value();
    const std::pair<const char*, long> good[] = {{"0", 0}, {"7", 7}, {"86400", 86400}, {"99999999999", 4294967295}, {"Sat, 21 Nov 2026 08:02:00 GMT", 120}, {"Sat, 21 Nov 2026 07:00:00 GMT", 0}};
    for (const auto& [text, seconds] : good) BOOST_TEST((azure::retry_after(text, now) == std::chrono::seconds(seconds)), text);
    for (const auto* text : {"", "-1", "1.5", "soon", " 1", "9x", "Sat, 21 Nov 2026 08:02:00 UTC", "Sat, 31 Feb 2026 08:02:00 GMT", "Sat, 21 Nov 2026 25:02:00 GMT"})
        BOOST_TEST(!azure::retry_after(text, now), text);
}

BOOST_AUTO_TEST_CASE(a_guid_is_one_and_new) {
    crypto::SystemRandom random;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto text = azure::guid(random);
        BOOST_TEST(text.size() == 36U);
        BOOST_TEST((text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' && text[14] == '4'));
        BOOST_TEST(std::string("89ab").find(text[19]) != std::string::npos);
        BOOST_TEST(seen.insert(text).second);
    }
}

BOOST_AUTO_TEST_CASE(tokens_go_to_microsoft_alone) {
    const auto global = azure::addresses_of(azure::Environment::global);
    for (const auto* url : {"https://fef.msua06.manage.microsoft.com/x", "https://FEF.MSUA06.MANAGE.MICROSOFT.COM/x", "https://a.manage.microsoft.com:443/x"})
        BOOST_TEST(azure::may_serve(global, url), url);
    for (const auto* url : {"http://fef.a.manage.microsoft.com/x", "https://manage.microsoft.com/x", "https://.manage.microsoft.com/x", "https://evilmanage.microsoft.com/x",
                            "https://fef.a.manage.microsoft.com.evil.example/x", "https://fef.a.manage.microsoft.com@evil.example/x",
                            "https://evil.example#.manage.microsoft.com/x", "https://evil.example\\.manage.microsoft.com/x", "https://fef.a.manage.microsoft.com:8443/x",
                            "https://fef.a.manage.microsoft.us/x", "https://[::1]/x", "fef.a.manage.microsoft.com", "https://", "https://:443/", ""})
        BOOST_TEST(!azure::may_serve(global, url), url);
    auto local = global;
    local.services = {"localhost", "127.0.0.1:8443"};
    BOOST_TEST((azure::may_serve(local, "https://localhost:1/") && azure::may_serve(local, "https://127.0.0.1:8443/")));
    BOOST_TEST((!azure::may_serve(local, "https://127.0.0.1:8444/") && !azure::may_serve(local, "https://a.localhost/")));
}

BOOST_AUTO_TEST_CASE(every_cloud_has_its_addresses) {
    using azure::Environment;
    for (const auto each : {Environment::global, Environment::us_gov, Environment::us_dod, Environment::china}) {
        const auto a = azure::addresses_of(each);
        BOOST_TEST((azure::environment_from(azure::to_string(each)).value() == each));
        BOOST_TEST((a.login.starts_with("https://") && a.login.ends_with("/") && a.graph.ends_with("/") && a.graph_scope == a.graph + ".default"));
        BOOST_TEST((a.intune_scope.empty() == (each == Environment::china) && a.services.empty() == a.intune_scope.empty()));
        if (!a.intune_scope.empty()) BOOST_TEST(a.intune_scope.ends_with("//.default"), "the double slash");
    }
    BOOST_TEST(!azure::environment_from("germany"));
}

BOOST_AUTO_TEST_CASE(what_is_logged_holds_no_long_words) {
    BOOST_TEST(azure::loggable("a b") == "a b");
    BOOST_TEST(azure::loggable("id 3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa") == "id 3f0d1e7a-64c4-4d1f-8f55-0e9fd7c1b2aa");
    BOOST_TEST(azure::loggable("t " + std::string(41, 'x') + " end") == "t … end");
    BOOST_TEST(azure::loggable("two\r\nlines") == "two  lines");
    BOOST_TEST(azure::loggable(std::string(5000, ' ')).size() <= 200U);
}

BOOST_AUTO_TEST_CASE(the_breaker_opens_closes_and_doubles) {
    azure::Breaker b;
    auto now = core::from_ms(1'000'000);
    for (int i = 0; i < 4; ++i) b.failed(1, now, {});
    BOOST_TEST(!b.held(1, now));
    b.failed(1, now, {});
    BOOST_TEST((b.held(1, now) == 15s && b.open(1)));
    BOOST_TEST(!b.held(2, now));
    now += 15s;
    BOOST_TEST(!b.held(1, now));                // one may try
    BOOST_TEST((b.held(1, now) == 1s));         // and nobody beside it
    b.failed(1, now, {});
    BOOST_TEST((b.held(1, now) == 30s));
    now += 31s;
    BOOST_TEST(!b.held(1, now));
    b.undecided(1);
    BOOST_TEST(!b.held(1, now));                // the next may try
    b.succeeded(1);
    BOOST_TEST((!b.held(1, now) && !b.open(1)));
    b.failed(1, now, 86400s);
    BOOST_TEST((b.held(1, now) == 3600s));
    BOOST_TEST(!b.held(1, now - 10s));          // a clock that was set back frees, rather than holds
}

BOOST_AUTO_TEST_CASE(the_pause_grows_to_the_longest) {
    azure::Breaker b;
    auto now = core::from_ms(1'000'000);
    for (int i = 0; i < 5; ++i) b.failed(1, now, {});
    for (const auto expected : {15s, 30s, 60s, 120s, 240s, 240s}) {
        BOOST_TEST((b.held(1, now) == expected));
        now += expected;
        BOOST_TEST(!b.held(1, now));
        b.failed(1, now, {});
    }
}

BOOST_AUTO_TEST_CASE(an_assertion_is_signed_for_its_certificate) {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048));
    azure::Account account;
    account.application = "app";
    account.certificate = core::Bytes{1, 2, 3};
    for (const bool older : {false, true}) {
        account.credential = older ? azure::CredentialKind::certificate_rs256 : azure::CredentialKind::certificate;
        const auto made = azure::make_assertion(account, key.to_pkcs8().expose(), "https://login/x", "id-1", core::from_ms(1'800'000'000'000)).value();
        const auto& text = made.expose();
        const auto first = text.find('.'), last = text.rfind('.');
        const auto header = core::from_base64url(text.substr(0, first)).value(), claims = core::from_base64url(text.substr(first + 1, last - first - 1)).value();
        BOOST_TEST(core::as_text(claims) == R"({"aud":"https://login/x","iss":"app","sub":"app","jti":"id-1","nbf":1800000000,"iat":1800000000,"exp":1800000480})");
        BOOST_TEST(core::as_text(header) == (older ? R"({"alg":"RS256","typ":"JWT","x5t":")" + core::base64url(crypto::sha1(account.certificate)) + "\"}"
                                                   : R"({"alg":"PS256","typ":"JWT","x5t#S256":")" + core::base64url(crypto::sha256(account.certificate)) + "\"}"));
        const auto signature = core::from_base64url(text.substr(last + 1)).value();
        const auto data = core::as_bytes(std::string_view(text).substr(0, last));
        const bool as_pss = crypto::verify_ps256(key.public_key(), data, signature), as_older = key.public_key().verify(crypto::SignatureAlgorithm::rsa_sha256, data, signature);
        BOOST_TEST((as_pss == !older && as_older == older));
        BOOST_TEST(!crypto::verify_ps256(key.public_key(), core::as_bytes("other"), signature));
    }
    const auto ec = crypto::PrivateKey::generate(crypto::KeySpec());
    BOOST_TEST(!azure::make_assertion(account, ec.to_pkcs8().expose(), "a", "b", core::from_ms(0)));
    BOOST_TEST(!azure::make_assertion(account, core::Bytes{1}, "a", "b", core::from_ms(0)));
    BOOST_CHECK_THROW(static_cast<void>(crypto::sign_ps256(ec, core::Bytes{1})), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(entras_refusals_are_explained) {
    azure::Account account;
    account.application = "APP";
    const auto explained = [&](const std::string& body) { return azure::explain_refusal(account, 401, body); };
    const auto bad = explained(R"({"error":"invalid_client","error_codes":[7000215],"correlation_id":"c-1"})");
    BOOST_TEST((bad.trouble == azure::Trouble::credentials && bad.aadsts == 7000215U));
    BOOST_TEST(bad.detail == "Entra gives no token: AADSTS7000215, the client secret is wrong; correlation id c-1");
    BOOST_TEST(bad.advice == "Entra admin center > App registrations > APP > Certificates & secrets: create a client secret and give Postern its Value, not its Secret ID");
    const auto from_text = explained(R"({"error":"invalid_client","error_description":"AADSTS700016: Application with identifier 'secret' was not found"})");
    BOOST_TEST(from_text.aadsts == 700016U);
    BOOST_TEST(from_text.detail.find("identifier") == std::string::npos);  // Entra's own words may hold anything
    BOOST_TEST(explained(R"({"error":"invalid_client","error_codes":[99]})").detail == "Entra gives no token: AADSTS99 (invalid_client)");
    BOOST_TEST((explained(R"({"error":"temporarily_unavailable"})").trouble == azure::Trouble::unreachable));
    BOOST_TEST((explained("<html>").trouble == azure::Trouble::rejected && explained("{}").trouble == azure::Trouble::rejected));
}

BOOST_AUTO_TEST_CASE(forms_are_encoded) {
    std::string form;
    azure::add_field(form, "a", "8Q~x.y_-");
    azure::add_field(form, "b", "&=+ %\xc3\xa4\n");
    BOOST_TEST(form == "a=8Q~x.y_-&b=%26%3D%2B%20%25%C3%A4%0A");
}

BOOST_AUTO_TEST_CASE(a_page_of_results_that_is_not_taken_is_refused_and_an_odd_answer_is_none) {
    BOOST_TEST(azure::read_accepted(R"({"value":true})").has_value());
    BOOST_TEST((azure::read_accepted(R"({"value":false})").error().trouble == azure::Trouble::rejected));
    for (const auto* odd : {R"({"value":"true"})", R"({"value":null})", "{}", "true", ""})
        BOOST_TEST((azure::read_accepted(odd).error().trouble == azure::Trouble::answer), odd);
}

BOOST_AUTO_TEST_CASE(a_page_of_500_long_contexts_is_read_but_for_what_no_store_keeps) {
    std::string body = R"({"value":[{"requestContext":"a\u0000b","serialNumber":"01"},{"requestContext":"c","serialNumber":"0\u00001"})";
    for (int i = 0; i < 500; ++i) body += R"(,{"requestContext":")" + std::to_string(i) + std::string(8000, 'x') + R"(","serialNumber":"01"})";
    const auto read = azure::read_revocations(body + "]}");
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(read->size() == 500U);
}

BOOST_AUTO_TEST_CASE(notifications_keep_their_limits) {
    azure::FailureNotice notice("T", core::Bytes{1}, 0, std::string(254, 'x') + "ü");
    const auto text = azure::failure_body(notice, "c");
    BOOST_TEST(text.find("\"hResult\":-2147418113") != std::string::npos);
    BOOST_TEST(text.find(std::string(254, 'x') + "\",") != std::string::npos);
    azure::SuccessNotice good;
    good.expires = core::from_rfc3339("2027-01-31T23:59:59Z").value();
    BOOST_TEST(azure::success_body(good, "c").find(R"("certificateExpirationDateUtc":"2027-01-31T23:59:59.000Z")") != std::string::npos);
    BOOST_TEST(azure::download_body(9999) == R"({"downloadParameters":{"maxRequests":500,"issuerName":null}})");
    BOOST_TEST(!azure::success_notice("T", {}, core::Bytes{1, 2}, "id"));
}

BOOST_AUTO_TEST_SUITE_END()
