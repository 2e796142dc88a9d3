#include "validation/location.hpp"

#include <boost/test/unit_test.hpp>

using namespace postern;

namespace {

validation::Location base() {
    validation::Location out;
    out.host = "www.example.test";
    out.target = "/a/b?c";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(validation_location)

BOOST_AUTO_TEST_CASE(references_are_resolved_as_rfc_3986_says) {
    const std::pair<const char*, const char*> expected[] = {
        {"https://other.test/x", "https://other.test/x"},
        {"HTTPS://OTHER.test./x?y#z", "https://other.test/x?y"},
        {"http://other.test", "http://other.test/"},
        {"http://other.test?q", "http://other.test/?q"},
        {"http://other.test:80/x", "http://other.test:80/x"},
        {"//other.test/x", "http://other.test/x"},
        {"/x", "http://www.example.test/x"},
        {"/x/../../y/./z", "http://www.example.test/y/z"},
        {"x", "http://www.example.test/a/x"},
        {"../x?y", "http://www.example.test/x?y"},
        {"..", "http://www.example.test/"},
        {"?y", "http://www.example.test/a/b?y"},
        {"#z", "http://www.example.test/a/b?c"},
        {"a:b/../c", ""},
        {"./a:b", "http://www.example.test/a/a:b"},
    };
    for (const auto& [header, text] : expected) {
        const auto next = validation::follow(base(), header);
        BOOST_TEST((next ? next->to_text() : "") == text, header << ": " << (next ? next->to_text() : next.error().detail));
    }
}

BOOST_AUTO_TEST_CASE(what_could_lead_elsewhere_is_refused) {
    const std::pair<const char*, const char*> refused[] = {
        {"", "missing or empty"},
        {"file:///etc/passwd", "only http and https"},
        {"gopher://other.test/", "only http and https"},
        {"javascript:alert(1)", "only http and https"},
        {"http:other.test", "without a host"},
        {"http:///x", "no DNS name"},
        {"http://user@other.test/", "user information"},
        {"http://www.example.test:80@evil.test/", "user information"},
        {"http://127.0.0.1/", "IP address"},
        {"http://[::1]/", "IP address"},
        {"http://[::ffff:127.0.0.1]:80/", "IP address"},
        {"http://[v1.x]/", "IP address"},
        {"http://[::1/", "ill-formed host"},
        {"http://127.1/", "no DNS name"},
        {"http://2130706433/", "no DNS name"},
        {"http://0x7f.0.0.1/", "no DNS name"},
        {"http://0x7f000001/", "no DNS name"},
        {"http://a..b/", "no DNS name"},
        {"http://other.test:x/", "ill-formed port"},
        {"http://other.test:0/", "ill-formed port"},
        {"http://other.test:65616/", "ill-formed port"},
        {"http://other.test\\@evil.test/", "percent-encoded"},
        {"http://other.test/a b", "percent-encoded"},
        {"http://b\xc3\xbc""cher.test/", "percent-encoded"},
    };
    for (const auto& [header, why] : refused) {
        const auto next = validation::follow(base(), header);
        BOOST_TEST(!next.has_value(), header << " is followed");
        if (next) continue;
        BOOST_TEST((next.error().kind == core::ProblemKind::connection));
        BOOST_TEST(next.error().detail.find(why) != std::string::npos, header << ": " << next.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(an_address_may_redirect_to_itself_alone) {
    auto from = base();
    from.host = "2001:db8::1";
    from.address = true;
    BOOST_TEST(validation::follow(from, "https://[2001:DB8:0::1]/x")->to_text() == "https://[2001:db8::1]/x");
    BOOST_TEST(!validation::follow(from, "https://[2001:db8::2]/x").has_value());
    BOOST_TEST(validation::follow(from, "https://other.test/x")->to_text() == "https://other.test/x");
}

BOOST_AUTO_TEST_SUITE_END()
