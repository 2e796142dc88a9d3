#include "validation/address_guard.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using postern::validation::why_forbidden;

BOOST_AUTO_TEST_SUITE(validation_address_guard)

BOOST_AUTO_TEST_CASE(special_purpose_addresses_are_forbidden_to_their_last_one) {
    const std::pair<const char*, const char*> forbidden[] = {
        {"0.0.0.0", "unspecified"},          {"0.255.255.255", "this network"},
        {"10.0.0.0", "RFC 1918"},            {"10.255.255.255", "RFC 1918"},
        {"100.64.0.0", "carriers"},          {"100.127.255.255", "carriers"},
        {"127.0.0.1", "loopback"},           {"127.255.255.254", "loopback"},
        {"169.254.169.254", "link-local"},   {"172.16.0.0", "RFC 1918"},
        {"172.31.255.255", "RFC 1918"},      {"192.0.0.170", "IETF"},
        {"192.0.2.1", "documentation"},      {"192.31.196.1", "AS112"},
        {"192.52.193.1", "AMT"},             {"192.88.99.1", "6to4"},
        {"192.168.255.255", "RFC 1918"},     {"192.175.48.1", "AS112"},
        {"198.18.0.0", "benchmarking"},      {"198.19.255.255", "benchmarking"},
        {"198.51.100.255", "documentation"}, {"203.0.113.0", "documentation"},
        {"224.0.0.1", "multicast"},          {"239.255.255.255", "multicast"},
        {"240.0.0.1", "reserved"},           {"255.255.255.255", "broadcast"},
        {"::", "unspecified"},               {"::1", "loopback"},
        {"::ffff:8.8.8.8", "IPv4-mapped"},   {"::ffff:127.0.0.1", "IPv4-mapped"},
        {"::7f00:1", "IPv4-compatible"},     {"64:ff9b::808:808", "NAT64"},
        {"64:ff9b:1::1", "NAT64"},           {"64:ff9b:1:ffff::1", "NAT64"},
        {"100::1", "discard"},               {"100:0:0:1::1", "dummy"},
        {"2001::1", "Teredo"},               {"2001:0:ffff::1", "Teredo"},
        {"2001:2::1", "benchmarking"},       {"2001:1::1", "IETF"},
        {"2001:10::1", "ORCHID"},            {"2001:2f:ffff::1", "ORCHIDv2"},
        {"2001:1ff:ffff::1", "IETF"},        {"2001:db8::1", "documentation"},
        {"2002:808:808::1", "6to4"},         {"2620:4f:8000::1", "AS112"},
        {"3fff:fff::1", "documentation"},    {"5f00::1", "SRv6"},
        {"fc00::1", "unique local"},         {"fdff:ffff::1", "unique local"},
        {"fe80::1", "link-local"},           {"febf::1", "link-local"},
        {"fec0::1", "site-local"},           {"ff02::1", "multicast"},
        {"4000::1", "not global unicast"},   {"1::1", "not global unicast"},
        {"e000::1", "not global unicast"},
    };
    for (const auto& [address, why] : forbidden) {
        const auto reason = why_forbidden(address);
        BOOST_TEST(reason.has_value(), address << " may be dialled");
        if (reason) BOOST_TEST(reason->find(why) != std::string_view::npos, address << ": " << *reason);
    }
}

BOOST_AUTO_TEST_CASE(their_neighbours_may_be_dialled) {
    for (const auto* address : {"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
                                "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
                                "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255",
                                "203.0.114.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1",
                                "2001:db9::1", "2003::1", "2620:4f:8001::1", "2a00::1", "3ffe::1", "3fff:1000::1"})
        BOOST_TEST(!why_forbidden(address).has_value(), address << " is refused");
}

BOOST_AUTO_TEST_CASE(whatever_is_no_plain_address_is_forbidden) {
    for (const std::string address : {"", "example.com", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "8.8.8.8 ", "fe80::1%lo",
                                      "[2a00::1]", "8.8.8.8:80", "::ffff:8.8.8", "1.2.3.4.5"})
        BOOST_TEST((why_forbidden(address) == "not an IP address"), address);
    BOOST_TEST((why_forbidden(std::string("8.8.8.8\0", 8)) == "not an IP address"));
    BOOST_TEST((why_forbidden(std::string(5000, '1')) == "not an IP address"));
}

BOOST_AUTO_TEST_SUITE_END()
