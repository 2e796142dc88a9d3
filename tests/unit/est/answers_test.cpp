#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"
#include "est/bodies.hpp"
#include "est/key_quota.hpp"
#include "est/multipart.hpp"
#include "est/status.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using core::Problem;
using core::ProblemKind;

BOOST_AUTO_TEST_SUITE(est_answers)

BOOST_AUTO_TEST_CASE(lines_have_64_columns_and_end_with_crlf) {
    for (const std::size_t size : {0U, 1U, 47U, 48U, 49U, 96U, 1000U}) {
        const core::Bytes octets(size, 0xfb);
        std::string lines;
        est::append_lines(lines, octets);
        std::string joined;
        for (std::size_t at = 0; at < lines.size();) {
            const auto end = lines.find("\r\n", at);
            BOOST_REQUIRE(end != std::string::npos);
            BOOST_TEST(end - at <= 64U);
            BOOST_TEST((end - at == 64U || end + 2 == lines.size()));
            joined += lines.substr(at, end - at);
            at = end + 2;
        }
        BOOST_TEST(joined == core::base64(octets));
    }
}

BOOST_AUTO_TEST_CASE(a_multipart_answer_is_as_the_smallest_readers_take_it) {
    std::vector<est::Part> parts;
    parts.emplace_back("application/pkcs8", core::SecretBytes(core::Bytes(3, 0)));
    parts.emplace_back(std::string(est::certs_only_type), core::SecretBytes(core::Bytes(3, 1)));
    const auto answer = est::answer_multipart(parts, "AAAAAAAAAAAAAAAAAAAAAA");
    BOOST_TEST(answer.secret);
    BOOST_TEST(answer.status == 200U);
    BOOST_TEST(answer.header("Content-Type") == "multipart/mixed; boundary=postern-AAAAAAAAAAAAAAAAAAAAAA");
    BOOST_TEST(answer.body == "--postern-AAAAAAAAAAAAAAAAAAAAAA\r\nContent-Type: application/pkcs8\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
                              "--postern-AAAAAAAAAAAAAAAAAAAAAA\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\nContent-Transfer-Encoding: base64\r\n\r\nAQEB\r\n"
                              "--postern-AAAAAAAAAAAAAAAAAAAAAA--\r\n");
}

BOOST_AUTO_TEST_CASE(checks_of_the_message_have_statuses_of_their_own) {
    const std::pair<Problem, unsigned> cases[] = {{Problem(ProblemKind::malformed, "x", "est.media_type"), 415U}, {Problem(ProblemKind::malformed, "x", "est.size"), 413U},
                                                  {Problem(ProblemKind::malformed, "x", "est.body"), 400U},       {Problem(ProblemKind::unauthenticated, "x"), 401U},
                                                  {Problem(ProblemKind::forbidden, "x"), 403U},                   {Problem(ProblemKind::not_found, "x"), 404U},
                                                  {Problem(ProblemKind::rate_limited, "x"), 429U},                {Problem(ProblemKind::unsupported, "x"), 501U},
                                                  {Problem(ProblemKind::internal, "x"), 502U},                    {Problem(ProblemKind::unavailable, "x"), 503U}};
    for (const auto& [problem, status] : cases) BOOST_TEST(est::status_of(problem) == status);
}

BOOST_AUTO_TEST_CASE(whoever_comes_again_is_told_when_within_a_day) {
    BOOST_TEST(est::retry_after(std::chrono::seconds(0)) == "30");
    BOOST_TEST(est::retry_after(std::chrono::seconds(31)) == "31");
    BOOST_TEST(est::retry_after(std::chrono::hours(48)) == "86400");
    http::Request request;
    for (const auto kind : {ProblemKind::rate_limited, ProblemKind::unavailable}) BOOST_TEST(est::refusal(request, "r", Problem(kind, "later")).header("Retry-After") == "30");
    BOOST_TEST(est::refusal(request, "r", Problem(ProblemKind::forbidden, "no")).header("Retry-After").empty());
    BOOST_TEST(est::refusal(request, "r", Problem(ProblemKind::forbidden, "two\r\nlines", "a.check")).body.starts_with("403 a.check: two  lines (ref "));
}

BOOST_AUTO_TEST_CASE(a_quota_is_an_accounts_and_an_hours) {
    core::FakeClock clock(core::TimePoint(std::chrono::hours(1000)));
    est::KeyQuota quota(clock);
    const core::AccountId one(1), other(2);
    BOOST_TEST(!quota.take(one, 2));
    clock.advance(std::chrono::minutes(10));
    BOOST_TEST(!quota.take(one, 2));
    BOOST_TEST((quota.take(one, 2) == std::optional(std::chrono::seconds(50 * 60))));
    BOOST_TEST(!quota.take(other, 2));
    clock.advance(std::chrono::minutes(50));
    BOOST_TEST(!quota.take(one, 2));
    BOOST_TEST((quota.take(one, 2) == std::optional(std::chrono::seconds(10 * 60))));
    BOOST_TEST((quota.take(one, 1) == std::optional(std::chrono::seconds(60 * 60))));
}

BOOST_AUTO_TEST_SUITE_END()
