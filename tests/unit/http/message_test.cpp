#include <boost/test/unit_test.hpp>

#include "core/http/message.hpp"

using namespace postern::http;

BOOST_AUTO_TEST_SUITE(http_message)

BOOST_AUTO_TEST_CASE(header_names_match_in_any_case_and_the_first_wins) {
    Request request;
    request.headers = {{"content-TYPE", "a/b"}, {"Content-Type", "c/d"}};
    BOOST_TEST(request.header("Content-Type") == "a/b");
    BOOST_TEST(request.header("Accept") == "");
}

BOOST_AUTO_TEST_CASE(query_values_are_percent_decoded) {
    Request request;
    request.query = "operation=PKIOperation&message=a%2Bb%3D&empty=&flag";
    BOOST_TEST(request.query_value("operation").value() == "PKIOperation");
    BOOST_TEST(request.query_value("message").value() == "a+b=");
    BOOST_TEST(request.query_value("empty").value() == "");
    BOOST_TEST(request.query_value("flag").value() == "");
    BOOST_TEST(!request.query_value("absent").has_value());
}

BOOST_AUTO_TEST_CASE(ill_encoded_values_are_no_values) {
    for (const char* text : {"%", "%4", "%zz", "a%2"}) BOOST_TEST(!percent_decode(text).has_value(), text);
    Request request;
    request.query = "a=%zz";
    BOOST_TEST(!request.query_value("a").has_value());
}

BOOST_AUTO_TEST_CASE(media_types_are_compared_without_parameters_and_case) {
    BOOST_TEST(media_type_is("application/JOSE+json; charset=utf-8", "application/jose+json"));
    BOOST_TEST(media_type_is("application/jose+json ", "application/jose+json"));
    BOOST_TEST(!media_type_is("application/json", "application/jose+json"));
    BOOST_TEST(!media_type_is("", "application/jose+json"));
}

BOOST_AUTO_TEST_CASE(an_unknown_parameter_is_a_programming_error) {
    const Params params;
    BOOST_CHECK_THROW(static_cast<void>(params["order"]), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
