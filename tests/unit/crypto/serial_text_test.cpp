#include "core/crypto/serial_text.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "core/base/encoding.hpp"

BOOST_AUTO_TEST_SUITE(crypto_serial_text)

using namespace postern;

namespace {

std::string read(std::string_view text) {
    const auto serial = crypto::serial_from_text(text);
    return serial ? core::hex(*serial) : "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_spelling_is_the_same_serial) {
    for (const auto* text : {"0a1bff", "0A1BFF", "a1bff", "0a:1b:ff", "0A:1B:FF", "0x0a1bff", "0XA1BFF", "00:0a:1b:ff", "0000000a1bff", "0x0a:1b:ff"})
        BOOST_TEST(read(text) == "0a1bff", text);
    BOOST_TEST(read("1") == "01");
    BOOST_TEST(read("00" + std::string(40, 'f')) == std::string(40, 'f'));
}

BOOST_AUTO_TEST_CASE(what_is_no_serial_is_none) {
    for (const auto& text : {std::string(), std::string("0"), std::string("0x"), std::string(":"), std::string("00:00"), std::string("zz"), std::string("1x2"), std::string("-1"),
                             std::string("1 2"), std::string(41, '1')})
        BOOST_TEST(read(text) == "none", text);
}

BOOST_AUTO_TEST_CASE(identifiers_have_all_their_digits) {
    const std::string id(39, 'A'), digest(63, '0');
    BOOST_TEST((crypto::key_id_from_text("0" + id).has_value() && !crypto::key_id_from_text(id) && !crypto::key_id_from_text("00" + id)));
    BOOST_TEST((crypto::sha256_from_text(digest + "a").value().back() == 10 && !crypto::sha256_from_text(digest) && !crypto::sha256_from_text(digest + "aa")));
}

BOOST_AUTO_TEST_SUITE_END()
