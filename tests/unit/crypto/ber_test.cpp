#include "core/crypto/ber.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace ber = crypto::ber;
namespace der = crypto::der;
using test::hex;

namespace {

/// The content of the first element in hex; "none" when there is none.
std::string content(std::string_view text) {
    const core::Bytes bytes = hex(text);
    ber::Reader reader(bytes);
    const auto element = reader.next();
    return element ? core::hex(element->content) : "none";
}
std::string octets(std::string_view text, std::uint8_t tag = der::octet_string) {
    const core::Bytes bytes = hex(text);
    ber::Reader reader(bytes);
    const auto element = reader.next();
    const auto joined = element ? ber::octets(*element, tag) : std::nullopt;
    return joined ? core::hex(*joined) : "none";
}
std::string nested(unsigned depth) {
    std::string out;
    for (unsigned i = 0; i < depth; ++i) out += "3080";
    for (unsigned i = 0; i < depth; ++i) out += "0000";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_ber)

BOOST_AUTO_TEST_CASE(lengths_of_every_form_are_read) {
    BOOST_TEST(content("0402aabb") == "aabb");
    BOOST_TEST(content("048102aabb") == "aabb");
    BOOST_TEST(content("04840000000100") == "00");
    BOOST_TEST(content("3080020107" "0000") == "020107");
    BOOST_TEST(content("308030800201070000" "0000") == "30800201070000");
    BOOST_TEST(content("30800402000004" "0100" "0000") == "04020000040100");
    BOOST_TEST(content("a080" "0000") == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_ber_is_refused) {
    for (const auto* text : {"", "04", "0402aa", "0480aa0000", "04ff", "0485000000000000", "0484ffffffff", "048480000000", "3080", "3080020107", "308002010700",
                             "308003010000", "0000", "000100", "1f8101", "bf1f00", "200100", "308004850000"})
        BOOST_TEST(content(text) == "none", text);
}

BOOST_AUTO_TEST_CASE(a_reader_ends_where_bytes_are_broken) {
    const core::Bytes bytes = hex("020101" "0402" "020102");
    ber::Reader reader(bytes);
    BOOST_TEST(reader.next().has_value());
    BOOST_TEST(!reader.next(der::integer).has_value());
    BOOST_TEST(reader.empty());
    BOOST_TEST(!reader.next().has_value());
}

BOOST_AUTO_TEST_CASE(whole_includes_the_end_of_contents) {
    const core::Bytes bytes = hex("3080020107" "0000" "0500");
    ber::Reader reader(bytes);
    BOOST_TEST(core::hex(reader.next(der::sequence)->whole) == "30800201070000");
    BOOST_TEST(reader.next(der::null)->content.empty());
    BOOST_TEST(reader.empty());
}

// S14, A14: thousands of levels end at the 33rd.
BOOST_AUTO_TEST_CASE(nesting_has_a_bound) {
    BOOST_TEST(content(nested(32)) != "none");
    BOOST_TEST(content(nested(33)) == "none");
    BOOST_TEST(content(nested(1000)) == "none");
    BOOST_TEST(content(nested(20'000)) == "none");
}

BOOST_AUTO_TEST_CASE(an_indefinite_length_is_around_so_many_elements) {
    const auto nulls = [](std::size_t n) {
        std::string text = "3080";
        for (std::size_t i = 0; i < n; ++i) text += "0500";
        return text + "0000";
    };
    BOOST_TEST(content(nulls(16384)).size() == 4 * 16384U);
    BOOST_TEST(content(nulls(16385)) == "none");
    BOOST_TEST(content("3080" + nulls(16383) + "0000") != "none");
    BOOST_TEST(content("3080" + nulls(16384) + "0000") == "none");
}

BOOST_AUTO_TEST_CASE(strings_in_pieces_are_joined) {
    BOOST_TEST(octets("0403aabbcc") == "aabbcc");
    BOOST_TEST(octets("2480" "0401aa" "0402bbcc" "0000") == "aabbcc");
    BOOST_TEST(octets("2407" "0401aa" "0402bbcc") == "aabbcc");
    BOOST_TEST(octets("2480" "2480" "0401aa" "0000" "0400" "0000") == "aa");
    BOOST_TEST(octets("2400") == "");
    BOOST_TEST(octets("a080" "0401aa" "0401bb" "0000", der::context(0)) == "aabb");
    BOOST_TEST(octets("8002aabb", der::context(0)) == "aabb");
}

BOOST_AUTO_TEST_CASE(pieces_are_octet_strings_four_deep) {
    BOOST_TEST(octets("2403" "020101") == "none");
    BOOST_TEST(octets("2403" "8001aa") == "none");
    BOOST_TEST(octets("2402" "0405") == "none");
    BOOST_TEST(octets("0302aabb") == "none");
    BOOST_TEST(octets("2480" "2480" "2480" "2480" "0401aa" "0000" "0000" "0000" "0000") == "aa");
    BOOST_TEST(octets("2480" "2480" "2480" "2480" "2480" "0401aa" "0000" "0000" "0000" "0000" "0000") == "none");
}

BOOST_AUTO_TEST_CASE(pieces_have_a_bound) {
    const auto pieces = [](std::size_t n) {
        std::string text = "2480";
        for (std::size_t i = 0; i < n; ++i) text += "040161";
        return text + "0000";
    };
    BOOST_TEST(octets(pieces(4096)).size() == 2 * 4096U);
    BOOST_TEST(octets(pieces(4097)) == "none");
    // Empty ones and those within others count, too.
    BOOST_TEST(octets("2480" + pieces(4095) + "0000").size() == 2 * 4095U);
    BOOST_TEST(octets("2480" + pieces(4096) + "0000") == "none");
}

BOOST_AUTO_TEST_SUITE_END()
