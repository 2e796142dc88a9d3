#include "core/dns/international.hpp"

#include <boost/test/unit_test.hpp>

#include "core/dns/public_suffix.hpp"

using namespace postern;

BOOST_AUTO_TEST_SUITE(dns_international)

BOOST_AUTO_TEST_CASE(labels_of_one_language_are_fine) {
    for (const auto* label : {"xn--mnchen-3ya", "xn--fa-hia", "xn--e1afmkfd", "xn--fiqs8s", "xn--zckzah", "xn--tower-w91hq39l", "xn--80ak6aa92e",
                              "xn--ll-0ea"}) {
        const auto why = dns::why_no_a_label(label);
        BOOST_TEST(!why, why.value_or(""));
    }
}

BOOST_AUTO_TEST_CASE(others_say_what_is_wrong_with_them) {
    const std::pair<const char*, const char*> labels[] = {
        {"xn--99999999", "overflow"},           {"xn--a", "disallowed"},      {"xn--n3h", "disallowed"},
        {"xn--e-xbb", "not in Unicode NFC"},    {"xn--ab-m1t", "context-j"},  {"xn--ab-0ea", "context-o"},
        {"xn--pple-43d", "Cyrillic and Latin"}, {"xn--bc-b9b", "Greek and Latin"},
    };
    for (const auto& [label, part] : labels) {
        const auto why = dns::why_no_a_label(label);
        BOOST_TEST_REQUIRE(why.has_value(), label);
        BOOST_TEST((why->find(part) != std::string::npos), *why);
    }
}

BOOST_AUTO_TEST_CASE(twins_of_ascii_are_seen) {
    BOOST_TEST(dns::looks_like_ascii("xn--80ak6aa92e"));   // аррӏе
    BOOST_TEST(dns::looks_like_ascii("xn--n1aen"));        // хор
    BOOST_TEST(!dns::looks_like_ascii("xn--e1afmkfd"));    // пример
    BOOST_TEST(!dns::looks_like_ascii("xn--mnchen-3ya"));
    BOOST_TEST(!dns::looks_like_ascii("apple"));
    BOOST_TEST(!dns::looks_like_ascii("xn--99999999"));
}

BOOST_AUTO_TEST_CASE(public_suffixes_are_known) {
    for (const auto* name : {"com", "co.uk", "github.io", "foo.ck", "lan", "test"}) BOOST_TEST(dns::is_public_suffix(name), name);
    for (const auto* name : {"example.com", "example.co.uk", "www.ck", "host.lan", "xn--mnchen-3ya.de"}) BOOST_TEST(!dns::is_public_suffix(name), name);
    BOOST_TEST(dns::is_public_suffix("xn--55qx5d.cn"));    // 公司.cn
}

BOOST_AUTO_TEST_SUITE_END()
