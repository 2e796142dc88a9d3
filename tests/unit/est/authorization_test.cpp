#include "est/authorization.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"

using namespace postern;

namespace {

http::Request with(const std::vector<std::string>& values) {
    http::Request request;
    for (const auto& value : values) request.headers.emplace_back("authorization", value);
    return request;
}

std::string basic(std::string_view pair) { return "Basic " + core::base64(core::as_bytes(pair)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(est_authorization)

BOOST_AUTO_TEST_CASE(passwords_are_read) {
    for (const auto& [pair, user, password] : std::vector<std::tuple<std::string, std::string, std::string>>{
             {"factory:secret", "factory", "secret"}, {":secret", "", "secret"}, {"factory:", "factory", ""}, {"a:b:c", "a", "b:c"}}) {
        const auto read = est::read_authorization(with({basic(pair)}));
        BOOST_TEST_REQUIRE(read.has_value());
        BOOST_TEST((read->scheme == est::Authorization::Scheme::basic));
        BOOST_TEST(read->basic.user == user);
        BOOST_TEST(read->basic.password.expose() == password);
    }
    BOOST_TEST(est::read_authorization(with({"bAsIc " + core::base64(core::as_bytes("a:b"))})).has_value());
}

BOOST_AUTO_TEST_CASE(tokens_are_read) {
    const auto read = est::read_authorization(with({"bearer  00FF"}));
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST((read->scheme == est::Authorization::Scheme::bearer && read->token.expose() == "00FF"));
    BOOST_TEST(est::speaks_bearer(with({"Bearer"})));
    BOOST_TEST(!est::speaks_bearer(with({"Bearers x"})));
    BOOST_TEST(!est::speaks_bearer(with({})));
}

BOOST_AUTO_TEST_CASE(nothing_is_nothing) { BOOST_TEST((est::read_authorization(with({}))->scheme == est::Authorization::Scheme::none)); }

BOOST_AUTO_TEST_CASE(what_is_neither_is_refused) {
    for (const auto* value : {"", "Basic", "Basic ", "Basic !!", "Basic YQ==", "Digest username=\"a\"", "Negotiate YII=", "NTLM TlRM", "Bearer", "Bearer ", "Basicx YTpi"}) {
        const auto read = est::read_authorization(with({value}));
        BOOST_TEST_REQUIRE(!read.has_value(), value);
        BOOST_TEST((read.error().kind == core::ProblemKind::unauthenticated), value);
    }
    BOOST_TEST(!est::read_authorization(with({"Bearer " + std::string(256, 'A')})).has_value());
    BOOST_TEST(!est::read_authorization(with({basic(std::string(2000, 'a') + ":b")})).has_value());
}

BOOST_AUTO_TEST_CASE(two_headers_are_refused_alike_or_not) {
    const auto read = est::read_authorization(with({basic("a:b"), basic("a:b")}));
    BOOST_TEST_REQUIRE(!read.has_value());
    BOOST_TEST((read.error().kind == core::ProblemKind::malformed && read.error().check == "credential.header"));
}

BOOST_AUTO_TEST_SUITE_END()
