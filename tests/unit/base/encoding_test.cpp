#include "core/base/encoding.hpp"

#include <boost/test/unit_test.hpp>

using namespace postern;

namespace {
core::Bytes octets(std::string_view text) { return core::to_bytes(core::as_bytes(text)); }
}  // namespace

BOOST_AUTO_TEST_SUITE(base_encoding)

BOOST_AUTO_TEST_CASE(rfc4648_vectors_of_section_10_hold) {
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},  {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        BOOST_TEST(core::base64(core::as_bytes(plain)) == encoded);
        BOOST_TEST((core::from_base64(encoded) == octets(plain)));
        std::string_view bare = encoded;
        while (bare.ends_with('=')) bare.remove_suffix(1);
        BOOST_TEST(core::base64url(core::as_bytes(plain)) == bare);
        BOOST_TEST((core::from_base64url(bare) == octets(plain)));
    }
}

BOOST_AUTO_TEST_CASE(alphabets_differ_in_two_letters) {
    const core::Bytes bytes{0xfb, 0xff, 0xfe};
    BOOST_TEST(core::base64(bytes) == "+//+");
    BOOST_TEST(core::base64url(bytes) == "-__-");
    BOOST_TEST(!core::from_base64url("+//+"));
    BOOST_TEST(!core::from_base64("-__-"));
}

BOOST_AUTO_TEST_CASE(every_octet_comes_back) {
    core::Bytes bytes;
    for (int length = 0; length < 300; ++length) {
        BOOST_TEST((core::from_base64url(core::base64url(bytes)) == bytes));
        BOOST_TEST((core::from_base64(core::base64(bytes)) == bytes));
        BOOST_TEST((core::from_hex(core::hex(bytes)) == bytes));
        bytes.push_back(static_cast<std::uint8_t>(length * 37));
    }
}

BOOST_AUTO_TEST_CASE(base64url_refuses_what_jose_forbids) {
    const std::string_view refused[] = {"Zg==", "Zm8=", "=", "A", "AAAAA", "Zm 9", "Zm9v\n", " Zm9v", "Zm9v ", "Zm.v",
                                        "Zh", "Zm9", "Zn", "Zm9vYh", "\xc3\xbc\x41\x41"};
    for (const auto text : refused) BOOST_TEST(!core::from_base64url(text), "accepted: " << text);
    // "Zm9" would be 16 bits and two more: 0x666f and 01.
    BOOST_TEST(core::from_base64url("Zm8").has_value());
    const std::string_view with_nul("Zm9v\0Zm9", 8);
    BOOST_TEST(!core::from_base64url(with_nul));
}

BOOST_AUTO_TEST_CASE(base64_wants_its_padding_and_nothing_else) {
    const std::string_view refused[] = {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg=a", "Zm9v====", "Zh==", "Zm9=", "Zm9v\n", "Zm8=Zm8="};
    for (const auto text : refused) BOOST_TEST(!core::from_base64(text), "accepted: " << text);
}

BOOST_AUTO_TEST_CASE(hex_reads_both_cases_and_writes_lower) {
    BOOST_TEST(core::hex(core::Bytes{0x00, 0xab, 0xff}) == "00abff");
    BOOST_TEST((core::from_hex("00aBFf") == core::Bytes{0x00, 0xab, 0xff}));
    for (const std::string_view text : {"0", "0g", "g0", " 00", "00 ", "0x00", "00:11"})
        BOOST_TEST(!core::from_hex(text), "accepted: " << text);
}

BOOST_AUTO_TEST_SUITE_END()
