#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "core/json/reader.hpp"

namespace json = postern::json;

namespace {

std::string written(std::string_view text) {
    json::Writer writer;
    writer.string(text);
    return writer.take();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_writer)

BOOST_AUTO_TEST_CASE(objects_and_arrays_come_out_compact_and_in_order) {
    json::Writer writer;
    writer.begin_object().member("b", "x").member("a", std::int64_t{-5}).member("t", true);
    writer.key("list").begin_array().integer(1).null().begin_object().end_object().begin_array().end_array().end_array();
    writer.key("raw").raw(R"({"k":1})").key("n").number(0.1).member("i", 7).end_object();
    BOOST_TEST(writer.take() == R"({"b":"x","a":-5,"t":true,"list":[1,null,{},[]],"raw":{"k":1},"n":0.1,"i":7})");
}

BOOST_AUTO_TEST_CASE(the_writer_starts_anew_after_take) {
    json::Writer writer;
    writer.integer(1);
    BOOST_TEST(writer.take() == "1");
    writer.boolean(false);
    BOOST_TEST(writer.take() == "false");
}

BOOST_AUTO_TEST_CASE(slashes_stay_and_dangerous_characters_are_escaped) {
    BOOST_TEST(written("https://h/p") == R"("https://h/p")");
    BOOST_TEST(written("a\"b\\c\n\r\t\x1b\x7f") == R"("a\"b\\c\n\r\t\u001b\u007f")");
    BOOST_TEST(written(std::string_view("\0", 1)) == R"("\u0000")");
    BOOST_TEST(written("\xE2\x80\xA8\xE2\x80\xA9") == R"("\u2028\u2029")");
    BOOST_TEST(written("\xC2\x9B\xE2\x80\xAE") == R"("\u009b\u202e")");
    BOOST_TEST(written("Zürich \xF0\x9F\x98\x80") == "\"Zürich \xF0\x9F\x98\x80\"");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_becomes_the_replacement_character) {
    constexpr std::string_view mark = "\xEF\xBF\xBD";
    const auto repeated = [&](int n) {
        std::string text = "\"";
        for (int i = 0; i < n; ++i) text += mark;
        return text + "\"";
    };
    BOOST_TEST(written("\xFF") == repeated(1));
    BOOST_TEST(written("\xC0\xAF") == repeated(2));
    BOOST_TEST(written("\xED\xA0\x80") == repeated(3));
    BOOST_TEST(written("\xE2\x82") == repeated(2));
    BOOST_TEST(written("\xF4\x90\x80\x80") == repeated(4));
    BOOST_TEST(written("\xE2\x82 x") == "\"" + std::string(mark) + std::string(mark) + " x\"");
}

BOOST_AUTO_TEST_CASE(every_octet_comes_back_as_valid_json) {
    for (int octet = 0; octet < 256; ++octet) {
        const std::string text(3, static_cast<char>(octet));
        const auto document = json::Document::parse(written(text));
        BOOST_REQUIRE(document.has_value());
        if (octet < 0x80) BOOST_TEST(document.value().root().string().value() == text);
    }
}

BOOST_AUTO_TEST_CASE(what_people_read_cannot_drive_their_terminal) {
    BOOST_TEST(json::printable("plain \"quoted\" back\\slash, \xc3\xbc") == "plain \"quoted\" back\\slash, \xc3\xbc");
    BOOST_TEST(json::printable("\x1b[2J\r\n\t\x7f\xc2\x9b\xe2\x80\xae") == "\\u001b[2J\\u000d\\u000a\\u0009\\u007f\\u009b\\u202e");
    BOOST_TEST(json::printable("one\n\ttwo\x1b\r", true) == "one\n\ttwo\\u001b\\u000d");
    BOOST_TEST(json::printable("\xff\x9b") == "\xef\xbf\xbd\xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(extreme_numbers_are_written_exactly) {
    json::Writer writer;
    writer.begin_array().integer(std::numeric_limits<std::int64_t>::min()).number(1e300).number(-0.5).number(-0.0).number(0.0).end_array();
    BOOST_TEST(writer.take() == "[-9223372036854775808,1e+300,-0.5,-0.0,0]");
}

BOOST_AUTO_TEST_CASE(misuse_is_a_broken_invariant) {
    BOOST_CHECK_THROW(json::Writer().begin_object().integer(1), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().begin_array().key("a"), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().begin_object().key("a").key("b"), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().begin_object().key("a").end_object(), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().begin_object().end_array(), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().integer(1).integer(2), std::logic_error);
    BOOST_CHECK_THROW((void)json::Writer().begin_array().take(), std::logic_error);
    BOOST_CHECK_THROW((void)json::Writer().take(), std::logic_error);
    BOOST_CHECK_THROW(json::Writer().number(std::numeric_limits<double>::infinity()), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
