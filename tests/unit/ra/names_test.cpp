#include "ra/names.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/result.hpp"

BOOST_AUTO_TEST_SUITE(ra_names)

using postern::core::ProblemKind;
using namespace postern;

namespace {
ra::NameRules no_wildcard() {
    ra::NameRules rules;
    rules.wildcard = false;
    return rules;
}
ra::NameRules single_label() {
    ra::NameRules rules;
    rules.single_label = true;
    return rules;
}
}  // namespace

BOOST_AUTO_TEST_CASE(names_become_lower_case_and_nothing_else) {
    const std::pair<std::string, std::string> cases[] = {
        {"example.com", "example.com"},
        {"WWW.Example.COM", "www.example.com"},
        {"*.Example.com", "*.example.com"},
        {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
        {"XN--80AK6AA92E.com", "xn--80ak6aa92e.com"},
        {"xn--fa-hia.example", "xn--fa-hia.example"},
        {"xn--tower-w91hq39l.example", "xn--tower-w91hq39l.example"},
        {"a-b.c-d.example", "a-b.c-d.example"},
        {"1.example", "1.example"},
        {"9to5.3com", "9to5.3com"},
        {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"},
    };
    for (const auto& [given, wanted] : cases) BOOST_TEST_CONTEXT(given) {
        const auto got = ra::normalize_dns(given);
        BOOST_TEST_REQUIRE(got.has_value(), (got ? "" : got.error().detail));
        BOOST_TEST(*got == wanted);
        BOOST_TEST(ra::normalize_dns(*got).value() == wanted);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_name_is_malformed) {
    const std::string label63(63, 'a');
    const std::string octets254 = label63 + "." + label63 + "." + label63 + "." + std::string(62, 'b');
    const std::pair<std::string, std::string> cases[] = {
        {"", "it is empty"},
        {".", "final dot"},
        {"*", "a wildcard needs a domain behind it"},
        {"*.", "final dot"},
        {"a..b", "a label is empty"},
        {".example.com", "a label is empty"},
        {"-a.example", "begins or ends with a hyphen"},
        {"a-.example", "begins or ends with a hyphen"},
        {std::string(64, 'a') + ".example", "longer than 63 octets"},
        {octets254 + "c", "longer than 253 octets"},
        {"example.com.", "leave out the final dot"},
        {"a.*.example", "a wildcard is the whole leftmost label"},
        {"a*.example.com", "a wildcard is the whole leftmost label"},
        {"*.*.example.com", "a wildcard is the whole leftmost label"},
        {"192.0.2.1", "use the identifier type ip"},
        {"2001:db8::1", "use the identifier type ip"},
        {"*.192.0.2.1", "use the identifier type ip"},
        {"1.2.3.4.5", "the last label is a number"},
        {"example.123", "the last label is a number"},
        {"exa mple.com", "letters, digits and hyphens only"},
        {"under_score.example", "letters, digits and hyphens only"},
        {std::string("nul\0.example", 12), "letters, digits and hyphens only"},
        {"user@example.com", "letters, digits and hyphens only"},
        {"http://example.com", "letters, digits and hyphens only"},
    };
    for (const auto& [given, part] : cases) BOOST_TEST_CONTEXT("\"" << given << "\"") {
        const auto got = ra::normalize_dns(given);
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST(core::to_string(got.error().kind) == core::to_string(ProblemKind::malformed));
        BOOST_TEST((got.error().detail.find(part) != std::string::npos), got.error().detail);
        BOOST_TEST((got.error().detail.find("is not a DNS name") != std::string::npos));
    }
}

BOOST_AUTO_TEST_CASE(names_that_nobody_should_have_are_rejected) {
    const std::pair<std::string, std::string> cases[] = {
        {"localhost", "has a single label"},
        {"*.com", "has a single label"},
        {"ab--cd.example", "hyphens in the third and fourth place are reserved"},
        {"xn--.example", "a label begins or ends with a hyphen"},
        {"xn--99999999.example", "is no international label (IDNA 2008): punycode"},
        {"xn--abc-99999.com", "is no international label (IDNA 2008): string contains invalid punycode"},
        {"xn--n3h.example", "contains a disallowed character"},     // a snowman
        {"xn--wca.example", "contains a disallowed character"},     // a capital U with diaeresis
        {"xn--munchen-gie.de", "is not in Unicode NFC"},            // u and a combining diaeresis
        {"xn--ab-m1t.example", "forbidden context-j character"},    // a zero-width joiner
        {"XN--PPLE-43D.com", "mixes letters of Cyrillic and Latin, which look like one another"},
        {"www.xn--bc-b9b.example", "mixes letters of Greek and Latin"},
        {"m\xC3\xBCnchen.de", "write non-ASCII labels as A-labels"},
        {"mu\xCC\x88nchen.de", "write non-ASCII labels as A-labels"},
        {"xn--a-b-.example", "a label begins or ends with a hyphen"},
    };
    for (const auto& [given, part] : cases) BOOST_TEST_CONTEXT(given) {
        const auto got = ra::normalize_dns(given);
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().detail.find(part) != std::string::npos), got.error().detail);
        const auto kind = given.ends_with("-.example") ? ProblemKind::malformed : ProblemKind::rejected_identifier;
        BOOST_TEST(core::to_string(got.error().kind) == core::to_string(kind));
    }
}

BOOST_AUTO_TEST_CASE(rules_say_where_wildcards_and_single_labels_may_stand) {
    BOOST_TEST(ra::normalize_dns("localhost", single_label()).value() == "localhost");
    const auto wildcard = ra::normalize_dns("*.example.com", no_wildcard());
    BOOST_TEST_REQUIRE(!wildcard.has_value());
    BOOST_TEST((wildcard.error().detail.find("a wildcard is not allowed here") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_scope_covers_what_it_says_and_nothing_beside_it) {
    struct Case {
        std::vector<std::string> scope;
        bool wildcard;
        std::string name;
        bool covered;
    };
    const Case cases[] = {
        {{"example.com"}, false, "example.com", true},
        {{"example.com"}, false, "www.example.com", false},
        {{"example.com"}, false, "xexample.com", false},
        {{"example.com"}, false, "example.com.evil.test", false},
        {{"example.com"}, true, "*.example.com", false},
        {{".example.com"}, false, "example.com", false},
        {{".example.com"}, false, "www.example.com", true},
        {{".example.com"}, false, "a.b.example.com", true},
        {{".example.com"}, false, "xexample.com", false},
        {{".example.com"}, false, "*.example.com", false},
        {{".example.com"}, true, "*.example.com", true},
        {{".example.com"}, true, "*.a.example.com", true},
        {{".example.com"}, true, "*.xexample.com", false},
        {{".example.com"}, true, "*.com", false},
        {{"*"}, false, "anything.test", true},
        {{"*"}, false, "*.anything.test", false},
        {{"*"}, true, "*.anything.test", true},
        {{}, true, "example.com", false},
        {{"other.test", ".example.com"}, false, "www.example.com", true},
    };
    for (const auto& c : cases) {
        ra::NameScope scope;
        scope.names = c.scope;
        scope.wildcard = c.wildcard;
        BOOST_TEST(scope.covers_dns(c.name) == c.covered, scope.to_text() << " and " << c.name);
    }
}

BOOST_AUTO_TEST_CASE(a_scope_lists_a_name_when_an_entry_means_no_other) {
    ra::NameScope scope;
    scope.names = {"co.uk", ".example.com", "*"};
    BOOST_TEST(scope.lists_dns("co.uk"));
    BOOST_TEST(!scope.lists_dns("example.com"));
    BOOST_TEST(!scope.lists_dns("www.example.com"));
    BOOST_TEST(!scope.lists_dns("*.example.com"));
    scope.wildcard = true;
    BOOST_TEST(scope.lists_dns("*.example.com"));
    BOOST_TEST(!scope.lists_dns("*.www.example.com"));
    BOOST_TEST(!scope.lists_dns("*.co.uk"));
}

BOOST_AUTO_TEST_CASE(a_long_name_is_shown_in_whole_characters) {
    std::string name(255, 'a');
    name += "\xC3\xBC";
    const auto got = ra::normalize_dns(name);
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().detail.find("\xC3") == std::string::npos), got.error().detail);
}

BOOST_AUTO_TEST_CASE(addresses_are_covered_one_by_one) {
    ra::NameScope scope;
    scope.names = {"192.0.2.1", ".example.com"};
    BOOST_TEST(scope.covers_ip("192.0.2.1"));
    BOOST_TEST(!scope.covers_ip("192.0.2.10"));
    BOOST_TEST(!scope.covers_ip("2.0.2.1"));
    BOOST_TEST(!scope.covers_ip("::ffff:192.0.2.1"));  // X12: another address
    scope.names = {"*"};
    BOOST_TEST(scope.covers_ip("2001:db8::1"));
}

BOOST_AUTO_TEST_CASE(networks_cover_their_addresses) {
    ra::NameScope scope;
    scope.names = {"10.0.0.0/8", "192.0.2.64/27", "2001:db8:8000::/33", "198.51.100.7/32"};
    for (const auto* in : {"10.0.0.0", "10.255.255.255", "192.0.2.64", "192.0.2.95", "2001:db8:8000::1", "2001:db8:ffff::", "198.51.100.7"}) BOOST_TEST(scope.covers_ip(in), in);
    for (const auto* out : {"11.0.0.0", "9.255.255.255", "192.0.2.63", "192.0.2.96", "2001:db8::1", "2001:db9::", "198.51.100.6", "::ffff:10.0.0.1"})
        BOOST_TEST(!scope.covers_ip(out), out);
    scope.names = {"0.0.0.0/0"};
    BOOST_TEST((scope.covers_ip("255.255.255.255") && !scope.covers_ip("::")));
}

BOOST_AUTO_TEST_CASE(a_scope_reads_as_people_write_it) {
    ra::NameScope scope;
    BOOST_TEST(scope.to_text() == "no name at all");
    scope.names = {"example.com", ".example.org"};
    BOOST_TEST(scope.to_text() == "example.com, .example.org");
    scope.wildcard = true;
    BOOST_TEST(scope.to_text() == "example.com, .example.org (wildcards too)");
}

BOOST_AUTO_TEST_SUITE_END()
