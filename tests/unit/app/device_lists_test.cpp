#include "app/verbs/device_lists.hpp"

#include <boost/test/unit_test.hpp>

#include "app/verbs/enroll_script.hpp"

BOOST_AUTO_TEST_SUITE(app_device_lists)

using namespace postern::app::verbs;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string refusal(std::string_view table) {
    try {
        read_device_table(table, DevicePattern());
        return "read";
    } catch (const std::runtime_error& problem) {
        return problem.what();
    }
}

OpensslWish wish(std::string subject, std::vector<std::string> sans = {}) {
    ListedDevice device;
    device.subject = std::move(subject);
    device.sans = std::move(sans);
    return OpensslWish::of(device).value();
}
std::string no_wish(std::string subject, std::vector<std::string> sans = {}) {
    ListedDevice device;
    device.subject = std::move(subject);
    device.sans = std::move(sans);
    const auto made = OpensslWish::of(device);
    return made ? "made" : made.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_fill_the_pattern) {
    DevicePattern pattern;
    pattern.subject = "CN={},serialNumber={}";
    pattern.sans = {"dns:{}.example.com", "dns:all.example.com"};
    const auto list = read_device_names("\xef\xbb\xbf# serials\r\n\r\n  4711\t\r\n00:1B:44\n4712", pattern);
    BOOST_TEST(list.bad.empty());
    BOOST_TEST_REQUIRE(list.devices.size() == 3U);
    BOOST_TEST(list.devices[0].name == "4711");
    BOOST_TEST(list.devices[0].line == 3U);
    BOOST_TEST(list.devices[0].subject == "CN=4711,serialNumber=4711");
    BOOST_TEST(list.devices[0].sans == (std::vector<std::string>{"dns:4711.example.com", "dns:all.example.com"}), boost::test_tools::per_element());
    BOOST_TEST(list.devices[1].name == "00:1B:44");
    BOOST_TEST(list.devices[2].line == 5U);
}

BOOST_AUTO_TEST_CASE(every_bad_name_is_told_by_its_line) {
    const auto list = read_device_names("a\n../etc\nb c\n-x\nA\n" + std::string(65, 'x') + "\n\xc3\xa4\na/b\n.hidden\n" + std::string(64, 'y'), DevicePattern());
    BOOST_TEST(list.devices.size() == 2U);
    BOOST_TEST_REQUIRE(list.bad.size() == 8U);
    const std::pair<std::size_t, std::string_view> why[] = {{2, "begins with a letter or a digit"}, {3, "b c: a device name has letters, digits"}, {4, "begins with"}, {5, "A: the name stands on line 1 already"},
                                                            {6, "more than 64"}, {7, "begins with"}, {8, "a/b: a device name has"}, {9, "begins with"}};
    for (std::size_t at = 0; at < std::size(why); ++at) {
        BOOST_TEST(list.bad[at].line == why[at].first);
        BOOST_TEST(contains(list.bad[at].why, why[at].second), list.bad[at].why);
    }
}

BOOST_AUTO_TEST_CASE(a_table_says_what_single_devices_are_called) {
    DevicePattern pattern;
    pattern.sans = {"dns:{}.example.com"};
    const auto list = read_device_table("device;subject;sans\r\ng-1;\"CN=gateway 1,O=Example\";dns:a.example.com dns:b.example.com\r\n\r\ng-2;;\r\n;CN=x;\r\ng-3;CN=a;b;c\r\nG-2;;\r\ng-4;\"CN=a", pattern);
    BOOST_TEST_REQUIRE(list.devices.size() == 2U);
    BOOST_TEST(list.devices[0].subject == "CN=gateway 1,O=Example");
    BOOST_TEST(list.devices[0].sans == (std::vector<std::string>{"dns:a.example.com", "dns:b.example.com"}), boost::test_tools::per_element());
    BOOST_TEST(list.devices[1].subject == "CN=g-2");
    BOOST_TEST(list.devices[1].sans == (std::vector<std::string>{"dns:g-2.example.com"}), boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(list.bad.size() == 4U);
    BOOST_TEST((list.bad[0].line == 5U && list.bad[0].why == "there is no device name"), list.bad[0].why);
    BOOST_TEST((list.bad[1].line == 6U && contains(list.bad[1].why, "more cells than columns")), list.bad[1].why);
    BOOST_TEST((list.bad[2].line == 7U && contains(list.bad[2].why, "stands on line 4 already")), list.bad[2].why);
    BOOST_TEST((list.bad[3].line == 8U && contains(list.bad[3].why, "a quote that does not end")), list.bad[3].why);
    BOOST_TEST(contains(refusal("serial\n4711\n"), "unknown column serial; known are device, subject, sans"));
    BOOST_TEST(contains(refusal("subject\nCN=a\n"), "the first line has no column device"));
    BOOST_TEST(contains(refusal("device,device\na,b\n"), "column device comes twice"));
}

BOOST_AUTO_TEST_CASE(openssl_is_asked_for_exactly_that) {
    const auto all = wish("CN=a/b\\+\\\\,O=Example\\, Inc.,E=a@example.com,serialNumber=7", {"dns:A.example.com", "ip:2001:DB8::7", "email:a@example.com", "uri:https://example.com/?a=1&b=2"});
    BOOST_TEST(all.subject == "/CN=a\\/b\\+\\\\/O=Example, Inc./emailAddress=a@example.com/serialNumber=7");
    BOOST_TEST(all.names == "DNS:a.example.com,IP:2001:db8::7,email:a@example.com,URI:https://example.com/?a=1&b=2");
    BOOST_TEST(wish("").subject == "/");
    BOOST_TEST(contains(no_wish("1.2.3.4=x"), "enroll.sh cannot ask for attribute 1.2.3.4"));
    BOOST_TEST(contains(no_wish("CN=x", {"upn:a@example.com"}), "enroll.sh cannot ask for upn:a@example.com"));
    // Extensions are read as configuration: comments, variables, quotes and lists.
    for (const auto* uri : {"uri:https://example.com/#a", "uri:https://example.com/$HOME", "uri:https://example.com/a,b", "uri:https://example.com/'", "uri:https://example.com/\\", "uri:https://example.com/;"})
        BOOST_TEST(contains(no_wish("CN=x", {uri}), "enroll.sh cannot ask for"), uri);
    BOOST_TEST(contains(no_wish("CN"), "subject: "));
    BOOST_TEST(contains(no_wish("CN=x", {"dns:-"}), "names: "));
}

BOOST_AUTO_TEST_SUITE_END()
