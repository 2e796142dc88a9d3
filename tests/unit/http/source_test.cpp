#include "core/http/source.hpp"

#include <boost/test/unit_test.hpp>

namespace postern::http {

BOOST_AUTO_TEST_SUITE(http_source)

BOOST_AUTO_TEST_CASE(an_ipv6_source_is_its_64) {
    BOOST_TEST(source_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    BOOST_TEST(source_of("2001:db8:1:2::") == source_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    BOOST_TEST(source_of("2001:db8:1:3::1") != source_of("2001:db8:1:2::1"));
    BOOST_TEST(source_of("::1") == "::/64");
    BOOST_TEST(source_of("fe80::1%2") == source_of("fe80::7%3"));  // whoever is on the link may have any address of it
}

BOOST_AUTO_TEST_CASE(an_ipv4_source_is_its_address_however_it_is_written) {
    BOOST_TEST(source_of("192.0.2.7") == "192.0.2.7");
    BOOST_TEST(source_of("::ffff:192.0.2.7") == "192.0.2.7");
    BOOST_TEST(source_of("::ffff:c000:207") == "192.0.2.7");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_itself) {
    for (const auto* text : {"local", "", "2001:db8::1/64", "192.0.2"}) BOOST_TEST(source_of(text) == text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::http
