#include <boost/test/unit_test.hpp>

#include "acme/render.hpp"

using namespace postern;
using acme::OrderStatus;

namespace {
const acme::Urls urls("https://a.test", "default");
const core::TimePoint now = core::from_ms(1'800'000'000'000);

store::AcmeOrderRow an_order() {
    store::AcmeOrderRow o;
    o.token = "ORDER";
    o.status = "pending";
    o.identifiers = R"([{"type":"dns","value":"a.example"}])";
    o.profile = "server";
    o.expires = now + std::chrono::hours(1);
    return o;
}
}  // namespace

BOOST_AUTO_TEST_SUITE(acme_render)

BOOST_AUTO_TEST_CASE(a_challenge_is_flat_before_its_error) {
    store::AcmeChallengeRow c;
    c.token = "TOKEN";
    c.type = "http-01";
    c.status = "invalid";
    c.error = R"({"type":"x"})";
    BOOST_TEST(acme::render_challenge(c, urls) ==
               R"({"type":"http-01","url":"https://a.test/acme/default/challenge/TOKEN","status":"invalid","token":"TOKEN","error":{"type":"x"}})");
    c.error.reset();
    c.status = "valid";
    c.validated = now;
    BOOST_TEST(acme::render_challenge(c, urls).find(R"("token":"TOKEN","validated":"2027-01-15T08:00:00Z"})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_order_ends_with_certificate_or_error) {
    auto o = an_order();
    BOOST_TEST(acme::render_order(o, {"AUTHZ"}, urls, now) ==
               R"({"status":"pending","expires":"2027-01-15T09:00:00Z","identifiers":[{"type":"dns","value":"a.example"}],"profile":"server","authorizations":["https://a.test/acme/default/authz/AUTHZ"],"finalize":"https://a.test/acme/default/order/ORDER/finalize"})");
    o.enrollment = core::EnrollmentId(1);
    o.enrollment_status = "issued";
    o.certificate_token = "CERT";
    BOOST_TEST(acme::render_order(o, {}, urls, now).ends_with(R"("certificate":"https://a.test/acme/default/certificate/CERT"})"));
    o.certificate_token.reset();
    o.enrollment_status = "invalid";
    o.enrollment_problem = R"({"detail":"the CA is gone"})";
    const auto failed = acme::render_order(o, {}, urls, now);
    BOOST_TEST(failed.find(R"("error":{"type":"urn:ietf:params:acme:error:)") != std::string::npos);
    BOOST_TEST(failed.find("the CA is gone") != std::string::npos);
    o.enrollment_problem = R"({"detail":"the CA is gone","check":"content.lint"})";
    o.enrollment_request = "abc";
    BOOST_TEST(acme::render_order(o, {}, urls, now).find("the CA is gone [check content.lint, request abc]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_quarantined_order_says_that_it_waits_for_an_officer) {
    auto o = an_order();
    o.enrollment = core::EnrollmentId(1);
    o.enrollment_request = "abc";
    o.enrollment_status = "submitted";
    BOOST_TEST(acme::render_order(o, {}, urls, now).find("error") == std::string::npos);
    o.enrollment_status = "quarantined";
    const auto shown = acme::render_order(o, {}, urls, now);
    BOOST_TEST(shown.starts_with(R"({"status":"processing")"));
    BOOST_TEST(shown.find("the request is quarantined and waits for an officer [check certificate.authorised, request abc]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_order_whose_outcome_nobody_knows_says_so) {
    auto o = an_order();
    o.enrollment = core::EnrollmentId(1);
    o.enrollment_request = "abc";
    o.enrollment_status = "unknown";
    o.enrollment_problem = R"({"detail":"restored meanwhile","check":"restore.unknown"})";
    const auto shown = acme::render_order(o, {}, urls, now);
    BOOST_TEST(shown.starts_with(R"({"status":"processing")"));
    BOOST_TEST(shown.find("serverInternal") != std::string::npos);
    BOOST_TEST(shown.find("restored meanwhile [check restore.unknown, request abc]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_account_shows_status_contact_binding_orders) {
    store::AcmeAccountRow a;
    a.token = "ACC";
    a.status = "valid";
    a.contacts = R"(["mailto:a@b.example"])";
    BOOST_TEST(acme::render_account(a, urls) ==
               R"({"status":"valid","contact":["mailto:a@b.example"],"orders":"https://a.test/acme/default/account/ACC/orders"})");
    a.terms = "https://terms";
    a.binding = "{}";
    BOOST_TEST(acme::render_account(a, urls).find(R"("termsOfServiceAgreed":true,"externalAccountBinding":{},"orders")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_decided_authorization_shows_what_decided_it) {
    store::AcmeAuthorizationRow a;
    a.identifier_type = "dns";
    a.identifier = "a.example";
    a.status = "pending";
    a.expires = now + std::chrono::hours(1);
    store::AcmeChallengeRow tried, other;
    tried.token = "TRIED", tried.type = "http-01", tried.status = "valid";
    other.token = "OTHER", other.type = "http-01", other.status = "pending";
    BOOST_TEST(acme::render_authorization(a, {tried, other}, urls, now).starts_with(
        R"({"identifier":{"type":"dns","value":"a.example"},"status":"pending","expires":"2027-01-15T09:00:00Z","challenges":[)"));
    BOOST_TEST(acme::render_authorization(a, {tried, other}, urls, now).find("OTHER") != std::string::npos);
    a.status = "valid";
    BOOST_TEST(acme::render_authorization(a, {tried, other}, urls, now).find("OTHER") == std::string::npos);
    BOOST_TEST(acme::status_of(a, now + std::chrono::hours(1)) == "expired");
    a.status = "deactivated";
    BOOST_TEST(acme::status_of(a, now + std::chrono::hours(1)) == "deactivated");
}

BOOST_AUTO_TEST_CASE(an_order_is_read_through_its_enrollment) {
    auto o = an_order();
    BOOST_TEST((acme::status_of(o, now) == OrderStatus::pending));
    BOOST_TEST((acme::status_of(o, o.expires) == OrderStatus::invalid));
    o.status = "ready";
    BOOST_TEST((acme::status_of(o, now) == OrderStatus::ready));
    o.enrollment = core::EnrollmentId(1);
    for (const auto* waiting : {"submitted", "pending_approval", "approved", "unknown", "quarantined"}) {
        o.enrollment_status = waiting;
        BOOST_TEST((acme::status_of(o, o.expires) == OrderStatus::processing), waiting);
    }
    for (const auto* ended : {"invalid", "rejected", "declined"}) {
        o.enrollment_status = ended;
        BOOST_TEST((acme::status_of(o, now) == OrderStatus::invalid), ended);
    }
    o.certificate_token = "CERT";
    for (const auto* issued : {"issued", "revoked", "expired", "replaced"}) {
        o.enrollment_status = issued;
        BOOST_TEST((acme::status_of(o, o.expires) == OrderStatus::valid), issued);
    }
}

BOOST_AUTO_TEST_SUITE_END()
