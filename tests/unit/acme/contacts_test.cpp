#include <boost/test/unit_test.hpp>

#include "acme/contacts.hpp"

using namespace postern;
using acme::ErrorType;

BOOST_AUTO_TEST_SUITE(acme_contacts)

BOOST_AUTO_TEST_CASE(plain_mail_addresses_are_kept) {
    for (const auto* url : {"mailto:admin@example.com", "MAILTO:a.b+c@sub.example.com", "mailto:root@localhost", "mailto:a%2Bb@example.com"})
        BOOST_TEST(acme::check_contact(url).has_value(), url);
}

BOOST_AUTO_TEST_CASE(other_contacts_are_refused_with_the_reason) {
    struct Case {
        std::string url;
        ErrorType type;
        const char* says;
    };
    const Case cases[] = {
        {"tel:+12025551212", ErrorType::unsupported_contact, "only mailto:"},
        {"admin@example.com", ErrorType::unsupported_contact, "only mailto:"},
        {"", ErrorType::unsupported_contact, "only mailto:"},
        {"mailto:", ErrorType::invalid_contact, "local-part@domain"},
        {"mailto:admin@example.com?cc=b@example.com", ErrorType::invalid_contact, "header fields"},
        {"mailto:a@example.com,b@example.com", ErrorType::invalid_contact, "one address"},
        {"mailto:a@example.com%2Cb@example.com", ErrorType::invalid_contact, "one address"},
        {"mailto:a@example.com%0D%0ABcc:b@example.com", ErrorType::invalid_contact, "printable"},
        {"mailto:a@example.com\r\nBcc:b", ErrorType::invalid_contact, "printable"},
        {"mailto:a@exa%mple.com", ErrorType::invalid_contact, "percent encoding"},
        {"mailto:j\xc3\xbcrgen@example.com", ErrorType::invalid_contact, "printable ASCII"},
        {"mailto:a@@example.com", ErrorType::invalid_contact, "local-part@domain"},
        {"mailto:a@example..com", ErrorType::invalid_contact, "host name"},
        {"mailto:a@.com", ErrorType::invalid_contact, "host name"},
        {"mailto:<a>@example.com", ErrorType::invalid_contact, "character"},
        {"mailto:" + std::string(300, 'a') + "@example.com", ErrorType::invalid_contact, "254"},
    };
    for (const auto& c : cases) {
        BOOST_TEST_CONTEXT(c.url) {
            const auto refused = acme::check_contact(c.url);
            BOOST_TEST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error().type == c.type));
            BOOST_TEST((refused.error().detail.find(c.says) != std::string::npos));
        }
    }
}

BOOST_AUTO_TEST_CASE(lists_are_absent_empty_or_short) {
    const auto read = [](std::string_view text) {
        const auto document = json::Document::parse(text);
        return acme::read_contacts(document->root()["contact"]);
    };
    BOOST_TEST(read("{}").value() == "[]");
    BOOST_TEST(read(R"({"contact":[]})").value() == "[]");
    BOOST_TEST(read(R"({"contact":["mailto:a@b.example"]})").value() == R"(["mailto:a@b.example"])");
    BOOST_TEST((read(R"({"contact":"mailto:a@b.example"})").error().type == ErrorType::malformed));
    BOOST_TEST((read(R"({"contact":[1]})").error().type == ErrorType::malformed));
    const std::string one = R"("mailto:a@b.example")";
    BOOST_TEST((read(R"({"contact":[)" + one + "," + one + "," + one + "," + one + "," + one + "," + one + "]}").error().type ==
                ErrorType::invalid_contact));
}

BOOST_AUTO_TEST_SUITE_END()
