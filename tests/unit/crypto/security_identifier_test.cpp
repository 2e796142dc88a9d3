#include "core/crypto/security_identifier.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"

using namespace postern;

BOOST_AUTO_TEST_SUITE(crypto_security_identifier)

BOOST_AUTO_TEST_CASE(an_identifier_has_one_spelling) {
    for (const std::string_view good : {"S-1-5-21-1-2-3-500", "S-1-5-21-0-0-0-0", "S-1-5-21-4294967295-4294967295-4294967295-4294967295",
                                        "S-1-5-21-3623811015-3361044348-30300820-1013"})
        BOOST_TEST(crypto::is_security_identifier(good), good);
    for (const std::string_view bad :
         {"", "S-1-5-21", "S-1-5-21-", "S-1-5-21-1-2-3", "S-1-5-21-1-2-3-", "S-1-5-21-1-2-3-500-", "S-1-5-21-1-2-3-500-1", "S-1-5-21-1-2-3-500 ", " S-1-5-21-1-2-3-500",
          "s-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-0500", "S-1-5-21-1-2-3-4294967296", "S-1-5-21-1-2-3-99999999999", "S-1-5-21--1-2-3-500", "S-1-5-21-1-2-3-+5",
          "S-1-5-21-1-2-3-0x1", "S-1-5-18", "S-1-5-32-544", "S-1-12-1-1-2-3-4", "S-1-5-21-1-2-3-5e2", "S-1-5-21-1,2-3-500"})
        BOOST_TEST(!crypto::is_security_identifier(bad), bad);
    BOOST_TEST(!crypto::is_security_identifier(std::string_view("S-1-5-21-1-2-3-500\0", 19)));
}

BOOST_AUTO_TEST_CASE(the_uri_is_taken_octet_for_octet) {
    BOOST_TEST(crypto::security_identifier_in("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104").value() == "S-1-5-21-1-2-3-1104");
    for (const std::string_view disguised :
         {"TAG:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500", "tag:Microsoft.COM,2022-09-14:SID:S-1-5-21-1-2-3-500", "tag:microsoft.com,2022-09-14:sid:s-1-5-21-1-2-3-500",
          "tag:microsoft.com%2C2022-09-14:sid:S-1-5-21-1-2-3-500", "%74ag:microsoft.com,2022-09-14%3Asid%3AS-1-5-21-1-2-3-500",
          "tag:microsoft.com%252c2022-09-14:sid:S-1-5-21-1-2-3-500", "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500?x", "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500#",
          "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500%00", "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500,S-1-5-21-1-2-3-501",
          "tag:microsoft.com,2022-09-14:sid:S-1-5-18", "tag:microsoft.com,2022-09-14:sid:", "x:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500",
          "tag:microsoft.com, 2022-09-14 :sid: S-1-5-21-1-2-3-500", "tag:microsoft.com,2022-09-14:\xe2\x80\x8bsid:S-1-5-21-1-2-3-500",
          "\xef\xbd\x94" "ag:microsoft.com\xef\xbc\x8c" "2022-09-14:sid:S-1-5-21-1-2-3-500", "urn:sid:S-1-5-21-1-2-3-500"}) {
        BOOST_TEST(!crypto::security_identifier_in(disguised).has_value(), disguised);
        BOOST_TEST(crypto::resembles_security_identifier(disguised), disguised);
    }
    // UTF-16, as a BMPString has it.
    std::string wide;
    for (const char c : std::string_view("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500")) wide += {'\0', c};
    BOOST_TEST(crypto::resembles_security_identifier(wide));
    // Whoever wraps it so often means no good.
    std::string wrapped = "%";
    for (int i = 0; i < 100; ++i) wrapped += "25";
    BOOST_TEST(crypto::resembles_security_identifier("urn:x:" + wrapped + "41"));
}

BOOST_AUTO_TEST_CASE(other_names_are_left_in_peace) {
    for (const std::string_view plain : {"", "100%", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "spiffe://corp.example/host/1", "https://microsoft.com/a%20b", "tag:example.com,2022-09-14:host:1",
                                         "IntuneDeviceId://e6b2e9a3", "jane@corp.example", "phone S-1-5", "https://a.test/%2541"})
        BOOST_TEST(!crypto::resembles_security_identifier(plain), plain);
}

/// As certificates of Microsoft's CAs have it (MS-WCCE 2.2.2.7.7.4).
BOOST_AUTO_TEST_CASE(the_extension_is_that_of_microsofts_cas) {
    BOOST_TEST(core::hex(crypto::security_identifier_extension("S-1-5-21-1-2-3-500")) ==
               "3024" "a022" "060a2b060104018237190201" "a014" "0412" "532d312d352d32312d312d322d332d353030");
}

BOOST_AUTO_TEST_SUITE_END()
