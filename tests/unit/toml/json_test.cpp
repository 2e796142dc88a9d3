#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/toml/reader.hpp"

namespace toml = postern::toml;

namespace {

std::string json_of(std::string_view text) {
    const auto root = toml::parse(text, "t");
    BOOST_REQUIRE_MESSAGE(root.has_value(), text);
    return root.value().find("v")->to_json();
}

/// Through TOML and back as the value of `v`.
std::string around(const std::string& json) {
    return json_of("[v]\n" + toml::json_object_to_toml(json));
}

const std::vector<std::string> round_trips{
    R"({})",
    R"({"z":1,"a":2,"m":3})",
    R"({"s":"plain","empty":"","quotes":"a\"b'c\\d","lines":"a\nb\r\tc","esc":"\u001b[0m\u0000\u007f","sep":"\u2028","utf":"Zürich 😀"})",
    R"({"t":true,"f":false,"n":-9223372036854775808,"x":9223372036854775807})",
    R"({"d":0.1,"e":1e+300,"g":0.30000000000000004,"big":12345678901234567168})",
    R"({"l":[],"o":{},"ll":[[1,2],["a",{"k":[{}]}]],"mixed":[1,"a",true]})",
    R"({"nested":{"b":{"z":[{"q":1,"a":2}],"y":"x"}},"":"empty name","a b":1,"a.b":2,"\"q\"":3,"ä":4,"new\nline":5})",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(toml_json)

BOOST_AUTO_TEST_CASE(tables_become_objects_in_the_order_written) {
    BOOST_TEST(json_of("[v]\nz = 1\na = 'x'\n[v.m]\nq = [1, 2.5, true]\n[[v.b]]\nk = 1\n[[v.b]]\nc = { y = 1, d = 2 }\n") ==
               R"({"z":1,"a":"x","m":{"q":[1,2.5,true]},"b":[{"k":1},{"c":{"y":1,"d":2}}]})");
}

BOOST_AUTO_TEST_CASE(scalars_and_dates_have_their_json_form) {
    BOOST_TEST(json_of("v = 0xff") == "255");
    BOOST_TEST(json_of("v = 2026-11-21T08:00:00Z") == R"("2026-11-21T08:00:00Z")");
    BOOST_TEST(json_of("v = 2026-11-21") == R"("2026-11-21")");
    BOOST_TEST(json_of("v = 08:00:00") == R"("08:00:00")");
}

BOOST_DATA_TEST_CASE(json_survives_the_way_through_toml, boost::unit_test::data::make(round_trips), json) {
    BOOST_TEST(around(json) == json);
}

BOOST_AUTO_TEST_CASE(lines_read_as_a_person_would_write_them) {
    BOOST_TEST(toml::json_object_to_toml(R"({"name":"web","days":90,"sans":["a","b"],"key":{"type":"ec"},"none":null})") ==
               "name = \"web\"\ndays = 90\nsans = [\"a\", \"b\"]\nkey = { type = \"ec\" }\n");
}

BOOST_AUTO_TEST_CASE(a_table_stays_the_same_after_export) {
    const std::string text = "[v]\nscope = ['example.com', '.example.org']\nwindow = { from = 1, to = 2.5 }\n[[v.rule]]\nn = \"x\"\n";
    const std::string stored = json_of(text);
    BOOST_TEST(around(stored) == stored);
}

BOOST_AUTO_TEST_CASE(text_that_is_no_stored_object_is_a_broken_invariant) {
    constexpr std::array<std::string_view, 2> without{"days", "other"};
    BOOST_TEST(toml::json_object_to_toml(R"({"name":"web","days":90})", without) == "name = \"web\"\n");
    BOOST_CHECK_THROW((void)toml::json_object_to_toml("[1]"), std::invalid_argument);
    BOOST_CHECK_THROW((void)toml::json_object_to_toml("{"), std::invalid_argument);
    BOOST_CHECK_THROW((void)toml::json_object_to_toml(""), std::invalid_argument);
    BOOST_CHECK_THROW((void)toml::json_object_to_toml(R"({"a":[null]})"), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
