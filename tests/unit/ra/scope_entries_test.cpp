#include "ra/scope_entries.hpp"

#include <boost/test/unit_test.hpp>

using namespace postern;

BOOST_AUTO_TEST_SUITE(ra_scope_entries)

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

using Reader = std::string (*)(std::string_view, ra::NameScope&);

struct Row {
    std::string text;
    std::string kept;     ///< in its one spelling; empty: it is refused
    std::string refusal;
};

void check(Reader read, std::vector<std::string> ra::NameScope::*list, const std::vector<Row>& rows) {
    for (const auto& row : rows) BOOST_TEST_CONTEXT(row.text) {
        ra::NameScope scope;
        const auto wrong = read(row.text, scope);
        if (row.refusal.empty()) {
            BOOST_TEST(wrong == "");
            BOOST_TEST((scope.*list == std::vector<std::string>{row.kept}));
        } else {
            BOOST_TEST(contains(wrong, row.refusal), wrong);
            BOOST_TEST((scope.*list).empty());
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(hosts) {
    check(ra::read_host_entry, &ra::NameScope::names,
          {{"Corp.Example", "corp.example", ""},
           {".Corp.Example", ".corp.example", ""},
           {"*", "*", ""},
           {"2001:DB8:0::1", "2001:db8::1", ""},
           {"10.0.0.0/8", "10.0.0.0/8", ""},
           {"192.0.2.7/32", "192.0.2.7/32", ""},
           {"0.0.0.0/0", "0.0.0.0/0", ""},
           {"2001:DB8:0::/33", "2001:db8::/33", ""},
           {"10.0.0.1/8", "", "has bits behind the network's; did you mean \"10.0.0.0/8\"?"},
           {"2001:db9::/31", "", "did you mean"},
           {"10.0.0.0/33", "", "no network"},
           {"2001:db8::/129", "", "no network"},
           {"10.0.0.0/", "", "no network"},
           {"10.0.0.0/+8", "", "no network"},
           {"10.0.0.0/8 ", "", "no network"},
           {"10.0.0.0/8/8", "", "no network"},
           {"10/8", "", "no network"},
           {"corp.example/8", "", "no network"},
           {"*.corp.example", "", "with wildcard = true"}});
}

BOOST_AUTO_TEST_CASE(mailboxes) {
    check(ra::read_email_entry, &ra::NameScope::emails,
          {{"Jane@Corp.Example", "Jane@corp.example", ""},
           {"*@Corp.Example", "*@corp.example", ""},
           {"*", "*", ""},
           {"*@*.corp.example", "", "a whole name before the @"},
           {"ja*@corp.example", "", "a whole name before the @"},
           {"*@", "", "with the name of a domain"},
           {"j@corp.example@x", "", "has a domain that"},
           {"corp.example", "", "is no mailbox"},
           {"@corp.example", "", "is no mailbox"},
           {"**", "", "a whole name before the @"},
           {"", "", "is no mailbox"}});
}

BOOST_AUTO_TEST_CASE(uris) {
    check(ra::read_uri_entry, &ra::NameScope::uris,
          {{"urn:uuid:1", "urn:uuid:1", ""},
           {"urn:uuid:*", "urn:uuid:*", ""},
           {"IntuneDeviceId://*", "IntuneDeviceId://*", ""},
           {"https://corp.example/*", "https://corp.example/*", ""},
           {"*", "*", ""},
           {"https://corp.example*", "", "stands behind the \"/\" or \":\""},
           {"https://corp.example:*", "", "stands behind the \"/\" or \":\""},
           {"https://*.corp.example/a", "", "stands at the end alone"},
           {"urn:*:*", "", "stands at the end alone"},
           {"urn:uuid:1*", "", "stands behind the \"/\" or \":\""},
           {"https://user@corp.example/*", "", "user information"},
           {"corp.example/*", "", "no absolute URI"},
           {"/*", "", "no absolute URI"},
           {"", "", "no absolute URI"},
           {"tag:microsoft.com,2022-09-14:sid:*", "", "security identifiers are never in a scope"},
           {"TAG:microsoft.com%2C2022-09-14:sid:S-1-5-21-1-2-3-4", "", "security identifiers are never in a scope"}});
}

BOOST_AUTO_TEST_CASE(principal_names) {
    check(ra::read_upn_entry, &ra::NameScope::upns,
          {{"jane@corp.example", "jane@corp.example", ""},
           {"HOST$@corp.example", "HOST$@corp.example", ""},
           {"*@corp", "*@corp", ""},
           {"*", "*", ""},
           {"jane", "", "is no principal name"},
           {"ja*@corp.example", "", "is no principal name"},
           {"*@", "", "has a suffix that is empty"},
           {"*@a@b", "", "has a suffix that"}});
}

BOOST_AUTO_TEST_SUITE_END()
