#include <boost/test/unit_test.hpp>

#include "acme/problem.hpp"

using namespace postern;
using core::ProblemKind;

BOOST_AUTO_TEST_SUITE(acme_problem)

BOOST_AUTO_TEST_CASE(every_kind_has_its_registered_type_and_status) {
    struct Case {
        ProblemKind kind;
        const char* type;
        unsigned status;
    };
    const Case cases[] = {
        {ProblemKind::malformed, "malformed", 400},
        {ProblemKind::unauthenticated, "unauthorized", 401},
        {ProblemKind::forbidden, "unauthorized", 403},
        {ProblemKind::not_found, "malformed", 404},
        {ProblemKind::conflict, "orderNotReady", 403},
        {ProblemKind::bad_csr, "badCSR", 400},
        {ProblemKind::bad_public_key, "badPublicKey", 400},
        {ProblemKind::rejected_identifier, "rejectedIdentifier", 400},
        {ProblemKind::unsupported_identifier, "unsupportedIdentifier", 400},
        {ProblemKind::invalid_profile, "invalidProfile", 400},
        {ProblemKind::bad_content, "badCSR", 400},
        {ProblemKind::rate_limited, "rateLimited", 429},
        {ProblemKind::dns, "dns", 400},
        {ProblemKind::connection, "connection", 400},
        {ProblemKind::tls, "tls", 400},
        {ProblemKind::incorrect_response, "incorrectResponse", 403},
        {ProblemKind::caa, "caa", 403},
        {ProblemKind::already_revoked, "alreadyRevoked", 400},
        {ProblemKind::bad_revocation_reason, "badRevocationReason", 400},
        {ProblemKind::unsupported, "malformed", 404},
        {ProblemKind::unavailable, "rateLimited", 503},
        {ProblemKind::internal, "serverInternal", 500},
    };
    for (const auto& c : cases) {
        const auto error = acme::to_error(core::Problem(c.kind, "why"));
        BOOST_TEST(acme::to_string(error.type) == c.type);
        BOOST_TEST(error.status == c.status, c.type);
    }
    BOOST_TEST(std::size(cases) == static_cast<std::size_t>(ProblemKind::internal) + 1);
}

BOOST_AUTO_TEST_CASE(a_document_has_type_detail_status_then_the_rest) {
    core::Problem problem(ProblemKind::rejected_identifier, "two names are refused", "names.scope");
    problem.subproblems.emplace_back(ProblemKind::rejected_identifier, "outside", "dns", "a.example");
    const auto json = acme::to_json(acme::to_error(problem), core::RequestId("abc"));
    BOOST_TEST(json ==
               R"({"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"two names are refused [check names.scope, request abc]","status":400,"subproblems":[{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"outside","identifier":{"type":"dns","value":"a.example"}}]})");
}

BOOST_AUTO_TEST_CASE(every_refusal_names_a_check_and_the_request) {
    using acme::ErrorType;
    for (int i = 0; i <= static_cast<int>(ErrorType::user_action_required); ++i) {
        const auto type = static_cast<ErrorType>(i);
        const acme::Error error(type, "why");
        const auto check = acme::default_check(type, error.status);
        BOOST_TEST(!check.empty());
        BOOST_TEST(acme::to_json(error, core::RequestId("abc")).find("\"detail\":\"why [check " + std::string(check) + ", request abc]\"") != std::string::npos);
        // What no request brought about, such as an order's expiry, has none to name.
        BOOST_TEST(acme::to_json(error, core::RequestId()).find("\"detail\":\"why\"") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(internal_faults_keep_their_detail_to_the_log) {
    const auto error = acme::to_error(core::Problem(ProblemKind::internal, "password is hunter2"));
    const auto json = acme::to_json(error, core::RequestId("abc"));
    BOOST_TEST(json.find("hunter2") == std::string::npos);
    BOOST_TEST(json.find("request abc") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_unavailable_says_when_to_come_back) {
    const auto response = acme::to_response(acme::to_error(core::Problem(ProblemKind::unavailable, "full")), core::RequestId("abc"));
    BOOST_TEST(response.status == 503U);
    BOOST_TEST(response.header("Retry-After") == "5");
    BOOST_TEST(response.header("Content-Type") == "application/problem+json");
}

BOOST_AUTO_TEST_CASE(pages_of_the_http_layer_are_problem_documents) {
    http::Request request;
    request.id = core::RequestId("abc");
    for (const unsigned status : {404U, 405U, 408U, 413U, 414U, 415U, 431U}) {
        const auto page = acme::error_page(request, status, "why");
        BOOST_TEST(page.status == status);
        const std::string check = status == 404 ? "request.resource" : "request.form";
        BOOST_TEST(page.body == R"({"type":"urn:ietf:params:acme:error:malformed","detail":"why [check )" + check + R"(, request abc]","status":)" +
                                    std::to_string(status) + "}");
        BOOST_TEST(page.header("Content-Type") == "application/problem+json");
        BOOST_TEST(page.header("Cache-Control") == "no-store");
    }
    BOOST_TEST(acme::error_page(request, 500, "why").body.find("serverInternal") != std::string::npos);
    BOOST_TEST(acme::error_page(request, 500, "secret").body.find("secret") == std::string::npos);
    BOOST_TEST(acme::error_page(request, 503, "why").body.find("rateLimited") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
