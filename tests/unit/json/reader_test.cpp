#include "core/json/reader.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

namespace json = postern::json;
namespace core = postern::core;

namespace {

struct Refusal {
    std::string_view name;
    std::string text;
    std::string_view says;
};
std::ostream& operator<<(std::ostream& out, const Refusal& r) { return out << r.name; }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

const std::vector<Refusal> refusals{
    {"empty", "", "$: not JSON at byte 0"},
    {"white space only", " \n", "$: not JSON at byte 2"},
    {"trailing text", "{} x", "$: not JSON at byte 3"},
    {"two values", "1 2", "$: not JSON at byte 2"},
    {"trailing NUL", std::string("{}\0", 3), "$: not JSON at byte 2: a NUL octet"},
    {"byte order mark", "\xEF\xBB\xBF{}", "$: not JSON at byte 0"},
    {"comment", "{/**/}", "$: not JSON"},
    {"trailing comma", "[1,]", "$: not JSON"},
    {"single quotes", "{'a':1}", "$: not JSON"},
    {"leading zero", "[01]", "$: not JSON"},
    {"plus sign", "[+1]", "$: not JSON"},
    {"NaN", "[NaN]", "$: not JSON"},
    {"raw line feed in a string", "\"a\nb\"", "$: not JSON"},
    {"unknown escape", R"("\x41")", "$: not JSON"},
    {"unterminated string", "\"abc", "$: not JSON"},
    {"unterminated object", "{\"a\":1", "$: not JSON"},
    {"lone high surrogate", R"("\ud800")", "$: not JSON"},
    {"high surrogate and a letter", R"("\ud800\u0041")", "$: not JSON"},
    {"lone low surrogate", R"("\udc00")", "$: a surrogate without its other half in a string at byte"},
    {"lone low surrogate in a name", R"({"\udfff":1})", "$: a surrogate without its other half"},
    {"surrogate as UTF-8", "\"\xED\xA0\x80\"", "$: not JSON"},
    {"lead octet at the end", "\"\xE0", "$: not JSON"},
    {"overlong UTF-8", "\"\xC0\xAF\"", "$: not JSON"},
    {"UTF-8 above the last plane", "\"\xF4\x90\x80\x80\"", "$: not JSON"},
    {"broken UTF-8", "\"\xE2\x82\"", "$: not JSON"},
    {"number too big", "[1e999]", "$: not JSON at byte 1: Number too big to be stored in double."},
    {"number too small", "[1e-999]", "$: a number out of range at byte"},
    {"too deep", nested(17), "$: nested deeper than 16 levels at byte"},
    {"repeated member", R"({"a":1,"b":2,"a":3})", "$.a: this member appears twice; names must be unique"},
    {"repeated below", R"({"x":[0,{"y":{"a":1,"a":1}}]})", "$.x[1].y.a: this member appears twice"},
    {"repeated by escape", R"({"a":1,"\u0061":2})", "$.a: this member appears twice"},
    {"repeated odd name", R"({"a b":1,"a b":2})", "$[\"a b\"]: this member appears twice"},
    {"many members, one repeated",
     R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"c":1})",
     "$.c: this member appears twice"},
};

json::Document parsed(std::string_view text) {
    auto document = json::Document::parse(text);
    BOOST_REQUIRE_MESSAGE(document.has_value(), text);
    return *std::move(document);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_reader)

BOOST_DATA_TEST_CASE(bad_text_is_refused_with_its_place, boost::unit_test::data::make(refusals), refusal) {
    const auto document = json::Document::parse(refusal.text);
    BOOST_REQUIRE(document.has_error());
    BOOST_TEST((document.error().kind == core::ProblemKind::malformed));
    BOOST_TEST(document.error().detail.starts_with(refusal.says), document.error().detail);
}

BOOST_AUTO_TEST_CASE(a_million_brackets_do_not_touch_the_stack) {
    json::Limits limits;
    limits.bytes = 4U << 20U;
    const auto document = json::Document::parse(std::string(1U << 20U, '['), limits);
    BOOST_REQUIRE(document.has_error());
    BOOST_TEST(document.error().detail.starts_with("$: nested deeper than 16 levels"));
}

BOOST_AUTO_TEST_CASE(the_depth_limit_itself_is_allowed) {
    BOOST_TEST(json::Document::parse(nested(16)).has_value());
}

BOOST_AUTO_TEST_CASE(text_above_the_byte_limit_is_refused) {
    json::Limits limits;
    limits.bytes = 4;
    BOOST_TEST(json::Document::parse("1234", limits).has_value());
    const auto document = json::Document::parse("12345", limits);
    BOOST_REQUIRE(document.has_error());
    BOOST_TEST(document.error().detail == "$: larger than 4 bytes");
}

BOOST_AUTO_TEST_CASE(members_and_elements_are_read_in_order) {
    const auto document = parsed(R"({"b":1,"a":[true,null,"x"],"c":{"d":"e"}})");
    const auto members = document.root().members();
    BOOST_REQUIRE_EQUAL(members.size(), 3U);
    BOOST_TEST(members[0].first == "b");
    BOOST_TEST(members[1].first == "a");
    const auto items = document.root()["a"].items();
    BOOST_REQUIRE_EQUAL(items.size(), 3U);
    BOOST_TEST(items[0].boolean().value());
    BOOST_TEST(items[1].is_null());
    BOOST_TEST(items[2].string().value() == "x");
    BOOST_TEST(items[2].path() == "$.a[2]");
    BOOST_TEST(document.root()["c"]["d"].string().value() == "e");
    BOOST_TEST(document.root().contains("c"));
    BOOST_TEST(!document.root().contains("d"));
}

BOOST_AUTO_TEST_CASE(a_wrong_type_names_the_path) {
    const auto document = parsed(R"({"identifiers":[{},{},{"value":3}],"flag":"yes","n":"1"})");
    const auto root = document.root();
    BOOST_TEST(root["identifiers"].items()[2]["value"].string().error().detail ==
               "$.identifiers[2].value: expected a string, found a number");
    BOOST_TEST(root["flag"].boolean().error().detail == "$.flag: expected true or false, found a string");
    BOOST_TEST(root["n"].integer().error().detail == "$.n: expected an integer, found a string");
    BOOST_TEST(root["gone"]["below"].string().error().detail == "$.gone.below: missing; expected a string");
    BOOST_TEST(root["identifiers"]["x"].string().error().detail == "$.identifiers.x: missing; expected a string");
    BOOST_TEST(root.problem("no").detail == "$: no");
}

BOOST_AUTO_TEST_CASE(integers_are_exact_or_refused) {
    const auto document = parsed(R"([9223372036854775807,-9223372036854775808,0,-0,9223372036854775808,1.0,1e2,18446744073709551616])");
    const auto items = document.root().items();
    BOOST_TEST(items[0].integer().value() == std::numeric_limits<std::int64_t>::max());
    BOOST_TEST(items[1].integer().value() == std::numeric_limits<std::int64_t>::min());
    BOOST_TEST(items[2].integer().value() == 0);
    BOOST_TEST(items[3].integer().value() == 0);
    for (std::size_t i = 4; i < items.size(); ++i) {
        BOOST_TEST(items[i].integer().error().detail == "$[" + std::to_string(i) +
                       "]: expected an integer without fraction or exponent that fits 64 bits");
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_rounded_exactly) {
    const auto document = parsed("[0.30000000000000004,1.7976931348623157e308,123456789012345678901234567890]");
    const auto items = document.root().items();
    BOOST_TEST(items[0].number().value() == 0.30000000000000004);
    BOOST_TEST(items[1].number().value() == 1.7976931348623157e308);
    BOOST_TEST(items[2].number().value() == 123456789012345678901234567890.0);
}

BOOST_AUTO_TEST_CASE(long_digit_runs_are_harmless) {
    for (const std::size_t digits : {20U, 300U, 309U, 800U, 5000U}) {
        for (const std::string_view tail : {"", ".5", "e-300", "e2147483647", "e-2147483648", "e99999999999"}) {
            const std::string text = "[" + std::string(digits, '7') + std::string(tail) + "]";
            const auto document = json::Document::parse(text);
            if (document.has_value()) BOOST_TEST(document.value().root().items()[0].is_number());
        }
    }
}

BOOST_AUTO_TEST_CASE(optional_strings_tell_absent_from_wrong) {
    const auto document = parsed(R"({"a":"x","b":1,"c":null})");
    BOOST_TEST(document.root()["a"].optional_string().value().value() == "x");
    BOOST_TEST(!document.root()["z"].optional_string().value().has_value());
    BOOST_TEST(document.root()["b"].optional_string().error().detail == "$.b: expected a string, found a number");
    BOOST_TEST(document.root()["c"].optional_string().error().detail == "$.c: expected a string, found null");
}

BOOST_AUTO_TEST_CASE(escapes_and_nul_stay_in_the_string) {
    const auto document = parsed(R"({"s":"a\u0000b\n\/\"\\ \ud83d\ude00 é"})");
    BOOST_TEST(document.root()["s"].string().value() == std::string_view("a\0b\n/\"\\ \xF0\x9F\x98\x80 \xC3\xA9", 15));
}

BOOST_AUTO_TEST_CASE(an_odd_member_name_is_quoted_in_the_path) {
    const auto document = parsed(R"({"a\u001b.b":{"x":1}})");
    BOOST_TEST(document.root().members()[0].second["x"].string().error().detail ==
               "$[\"a\\u001b.b\"].x: expected a string, found a number");
}

BOOST_AUTO_TEST_CASE(values_survive_a_move_of_the_document) {
    auto first = parsed(R"({"a":"short"})");
    const auto root = first.root();
    const json::Document second = std::move(first);
    BOOST_TEST(root["a"].string().value() == "short");
}

BOOST_AUTO_TEST_CASE(ten_thousand_members_are_checked_quickly) {
    std::string text = "{";
    for (int i = 0; i < 8000; ++i) text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":0";
    json::Limits limits;
    limits.bytes = 1U << 20U;
    BOOST_TEST(json::Document::parse(text + "}", limits).has_value());
    const auto repeated = json::Document::parse(text + ",\"k77\":0}", limits);
    BOOST_REQUIRE(repeated.has_error());
    BOOST_TEST(repeated.error().detail.starts_with("$.k77: "));
}

BOOST_AUTO_TEST_SUITE_END()
