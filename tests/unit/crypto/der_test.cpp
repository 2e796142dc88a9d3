#include "core/crypto/der.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace der = crypto::der;
using test::hex;

namespace {
der::Element element(const core::Bytes& bytes) {
    der::Reader reader(bytes);
    return reader.next().value();
}
core::Bytes repeated(std::size_t n) { return core::Bytes(n, 0x61); }
}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_der)

BOOST_AUTO_TEST_CASE(what_is_not_der_is_refused) {
    const std::pair<std::string_view, std::string_view> refused[] = {
        {"", "nothing"},
        {"30", "no length"},
        {"3001", "content cut off"},
        {"300200", "content cut off"},
        {"3080020100" "0000", "indefinite length"},
        {"308103020100", "long form for a short length"},
        {"30820003020100", "leading zero in the length"},
        {"3085000000000100", "length of five octets"},
        {"30ff", "reserved length"},
        {"1f0100", "high tag number"},
        {"3084ffffffff00", "length beyond the end"},
    };
    for (const auto& [text, reason] : refused) {
        const core::Bytes bytes = hex(text);
        der::Reader reader(bytes);
        BOOST_TEST(!reader.next().has_value(), reason);
    }
}

BOOST_AUTO_TEST_CASE(der_goes_all_the_way_down) {
    for (const auto* right : {"3000", "0500", "30050203010001", "a003020100", "3006010100" "0101ff"}) BOOST_TEST(der::is_der(hex(right)), right);
    BOOST_TEST(der::is_der(hex("30030201ff")));        // a negative INTEGER is one; who reads it decides
    BOOST_TEST(der::is_der(hex("0403308000")));        // what an OCTET STRING wraps is not entered
    for (const auto* ber : {"", "05", "050000",        // nothing, cut, trailing
                            "30800000",                // indefinite length
                            "3081020500",              // length not in the fewest octets
                            "3082000105",
                            "30042402" "0400",         // a string in pieces
                            "30032c0100",
                            "3003010102",              // BOOLEAN neither 00 nor FF
                            "300402020001", "30040202ffff", "30020200",  // INTEGER not minimal, or none
                            "3003050100",              // NULL with content
                            "30041002" "0500"})        // a SEQUENCE that claims to be primitive
        BOOST_TEST(!der::is_der(hex(ber)), ber);
    core::Bytes deep = hex("0500");
    for (int depth = 0; depth < 32; ++depth) {
        BOOST_TEST(der::is_der(deep), depth);
        der::Writer out;
        out.primitive(der::sequence, deep);
        deep = out.take();
    }
    BOOST_TEST(der::is_der(deep));
    der::Writer out;
    out.primitive(der::sequence, deep);
    BOOST_TEST(!der::is_der(out.bytes()));
}

BOOST_AUTO_TEST_CASE(elements_follow_one_another) {
    const core::Bytes bytes = hex("020105" "0400" "3003020101");
    der::Reader reader(bytes);
    BOOST_TEST(reader.peek() == der::integer);
    BOOST_TEST(!reader.next(der::octet_string));
    const auto first = reader.next(der::integer);
    BOOST_TEST((core::to_bytes(first.value().content) == hex("05")));
    BOOST_TEST((core::to_bytes(first.value().whole) == hex("020105")));
    BOOST_TEST(reader.next(der::octet_string).value().content.empty());
    BOOST_TEST(reader.next(der::sequence).value().content.size() == 3U);
    BOOST_TEST(reader.empty());
    BOOST_TEST(!reader.next());
    BOOST_TEST(reader.peek() == 0);
}

BOOST_AUTO_TEST_CASE(lengths_of_every_form_come_back) {
    for (const std::size_t n : {0UL, 1UL, 127UL, 128UL, 255UL, 256UL, 65535UL, 65536UL, 100000UL}) {
        const core::Bytes content = repeated(n);
        der::Writer nested;
        nested.begin(der::sequence).begin(der::octet_string).raw(content).end().end();
        der::Writer flat;
        flat.primitive(der::octet_string, content);
        const core::Bytes bytes = nested.take();
        der::Reader outer(bytes);
        const auto sequence = outer.next(der::sequence);
        BOOST_REQUIRE(sequence.has_value());
        BOOST_TEST(outer.empty());
        BOOST_TEST((core::to_bytes(sequence->content) == flat.bytes()));
        der::Reader inner(sequence->content);
        BOOST_TEST((core::to_bytes(inner.next(der::octet_string).value().content) == content));
    }
}

BOOST_AUTO_TEST_CASE(object_identifiers_have_one_form) {
    const std::pair<std::string_view, std::string_view> forms[] = {
        {"2.5.29.17", "551d11"},
        {"1.2.840.113549.1.1.11", "2a864886f70d01010b"},
        {"0.9.2342.19200300.100.1.25", "0992268993f22c640119"},
        {"2.999.3", "883703"},
        {"1.39.127.128", "4f7f8100"},
        {"2.4294967215.1", "8fffffff7f01"},
    };
    for (const auto& [text, content] : forms) {
        BOOST_TEST(core::hex(der::oid_content(text)) == content);
        BOOST_TEST(der::oid_text(hex(content)) == text);
    }
}

BOOST_AUTO_TEST_CASE(arcs_of_128_bits_come_back) {
    // UUIDs (X.667)
    for (const std::string_view text : {"2.25.329800735698586629295641978511506172918", "2.25.340282366920938463463374607431768211455", "2.25.0"})
        BOOST_TEST(der::oid_text(der::oid_content(text)) == text);
}

BOOST_AUTO_TEST_CASE(the_longest_object_identifier_that_is_read_is_written_too) {
    const core::Bytes longest(100, 0x7f);
    const std::string text = der::oid_text(longest);
    BOOST_TEST(text.size() == 2 + 2 + 99 * 4);
    BOOST_TEST((der::oid_content(text) == longest));
    BOOST_CHECK_THROW(der::oid_content(text + ".1.1"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(broken_object_identifiers_have_no_text) {
    for (const std::string_view content : {"", "80", "5580", "558011", "551d91", "ffffffffff7f"})
        BOOST_TEST(der::oid_text(hex(content)) == "", content);
    BOOST_TEST(der::oid_text(core::Bytes(101, 1)) == "");
}

BOOST_AUTO_TEST_CASE(junk_for_an_object_identifier_throws) {
    for (const std::string_view text : {"", "1", "3.1", "1.40", "2.", "1..2", ".1.2", "1.2.", "1.02", "1.a", "1.-2", "11.2", "2.4294967216", "2.99999999999", "serverAuth"})
        BOOST_CHECK_THROW(der::oid_content(text), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(integers_are_minimal) {
    const std::pair<std::int64_t, std::string_view> signed_forms[] = {
        {0, "020100"}, {127, "02017f"}, {128, "02020080"}, {256, "02020100"}, {-1, "0201ff"}, {-128, "020180"}, {-129, "0202ff7f"},
        {65537, "0203010001"}};
    for (const auto& [value, expected] : signed_forms) {
        der::Writer writer;
        BOOST_TEST(core::hex(writer.small_integer(value).bytes()) == expected);
    }
    const std::pair<std::string_view, std::string_view> magnitudes[] = {
        {"", "020100"}, {"00", "020100"}, {"7f", "02017f"}, {"80", "02020080"}, {"000080", "02020080"}, {"0001", "020101"}};
    for (const auto& [value, expected] : magnitudes) {
        der::Writer writer;
        BOOST_TEST(core::hex(writer.unsigned_integer(hex(value)).bytes()) == expected);
    }
}

BOOST_AUTO_TEST_CASE(magnitudes_are_read_strictly) {
    BOOST_TEST((core::to_bytes(der::unsigned_magnitude(element(hex("02020080"))).value()) == hex("80")));
    BOOST_TEST((core::to_bytes(der::unsigned_magnitude(element(hex("020100"))).value()) == hex("00")));
    for (const std::string_view refused : {"0200", "0201ff", "02020001", "0202007f"})
        BOOST_TEST(!der::unsigned_magnitude(element(hex(refused))), refused);
}

BOOST_AUTO_TEST_CASE(bit_strings_and_booleans_are_read_strictly) {
    BOOST_TEST((core::to_bytes(der::whole_octets(element(hex("0303000102"))).value()) == hex("0102")));
    BOOST_TEST(der::whole_octets(element(hex("030100"))).value().empty());
    for (const std::string_view refused : {"0300", "03020780", "04020080"}) BOOST_TEST(!der::whole_octets(element(hex(refused))), refused);
    BOOST_TEST(der::read_boolean(element(hex("0101ff"))).value());
    BOOST_TEST(!der::read_boolean(element(hex("010100"))).value());
    for (const std::string_view refused : {"0100", "010101", "0102ffff"}) BOOST_TEST(!der::read_boolean(element(hex(refused))), refused);
}

BOOST_AUTO_TEST_CASE(times_change_form_in_2050) {
    const std::pair<std::string_view, std::string_view> forms[] = {{"2026-11-21T08:00:00Z", "261121080000Z"},
                                                                   {"1950-01-01T00:00:00Z", "500101000000Z"},
                                                                   {"2049-12-31T23:59:59Z", "491231235959Z"},
                                                                   {"2050-01-01T00:00:00Z", "20500101000000Z"},
                                                                   {"9999-12-31T23:59:59Z", "99991231235959Z"}};
    for (const auto& [text, content] : forms) {
        const auto t = core::from_rfc3339(text).value();
        der::Writer writer;
        const core::Bytes bytes = writer.time(t).take();
        BOOST_TEST(core::as_text(element(bytes).content) == content);
        BOOST_TEST(element(bytes).tag == (content.size() == 13 ? der::utc_time : der::generalized_time));
        BOOST_TEST((der::read_time(element(bytes)) == t));
    }
    der::Writer writer;
    BOOST_CHECK_THROW(writer.time(core::from_rfc3339("1949-12-31T23:59:59Z").value()), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(other_forms_of_time_are_refused) {
    const std::pair<std::uint8_t, std::string_view> refused[] = {
        {der::utc_time, "2611210800Z"},           {der::utc_time, "261121080000+0000"},      {der::utc_time, "261121080000"},
        {der::utc_time, "261321080000Z"},         {der::utc_time, "260229080000Z"},          {der::utc_time, "261121240000Z"},
        {der::utc_time, "261121086000Z"},         {der::utc_time, "261121080060Z"},          {der::utc_time, "2611210800 0Z"},
        {der::utc_time, "20261121080000Z"},       {der::generalized_time, "261121080000Z"},  {der::generalized_time, "20261121080000.5Z"},
        {der::generalized_time, "20261121080000"}, {der::generalized_time, "2026112108Z"},    {der::octet_string, "261121080000Z"}};
    for (const auto& [tag, text] : refused) {
        der::Writer writer;
        const core::Bytes bytes = writer.text(tag, text).take();
        BOOST_TEST(!der::read_time(element(bytes)), text);
    }
}

BOOST_AUTO_TEST_CASE(end_without_begin_is_a_fault) {
    der::Writer writer;
    BOOST_CHECK_THROW(writer.end(), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
