#include "app/public_urls.hpp"

#include <set>

#include "core/async/shards.hpp"
#include "store/sqlite/open.hpp"
#include "tests/unit/app/support.hpp"

BOOST_AUTO_TEST_SUITE(app_public_urls)

using namespace postern;
using namespace postern::test;
using app::Address;
using app::Config;

namespace {

/// One store that a server is started on again and again.
struct Installation {
    void start(Config& config) {
        const auto db = store::open_sqlite(folder.file("postern.db"), clock, metrics);
        core::run_to_end(app::fix_public_urls(*db, config, "this", log));
        db->close();
    }
    static Config on_free_ports() {
        Config c;
        c.https = c.est = c.http = c.management = Address("127.0.0.1", 0);
        return c;
    }
    Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    observe::Log log{observe::Level::error, folder.file("log"), true};
};

}  // namespace

BOOST_AUTO_TEST_CASE(free_ports_are_chosen_once_and_differ) {
    Installation i;
    auto first = Installation::on_free_ports();
    i.start(first);
    const std::set<std::uint16_t> ports{first.https.port, first.est.port, first.http.port, first.management.port};
    BOOST_TEST(ports.size() == 4U);
    BOOST_TEST(!ports.contains(0));
    auto second = Installation::on_free_ports();
    i.start(second);
    BOOST_TEST(second.https.port == first.https.port);
    BOOST_TEST(second.est.port == first.est.port);
    BOOST_TEST(second.http.port == first.http.port);
    BOOST_TEST(second.management.port == first.management.port);
    BOOST_TEST(second.public_https == first.public_https);
    BOOST_TEST(first.public_https == "https://127.0.0.1:" + std::to_string(first.https.port));
    BOOST_TEST(first.public_http == "http://127.0.0.1:" + std::to_string(first.http.port));
    BOOST_TEST(first.public_est == "https://127.0.0.1:" + std::to_string(first.est.port));
}

BOOST_AUTO_TEST_CASE(urls_outlive_the_ports) {
    Installation i;
    auto first = Installation::on_free_ports();
    i.start(first);
    auto moved = Installation::on_free_ports();
    moved.https = Address("127.0.0.1", 1);
    i.start(moved);
    BOOST_TEST(moved.https.port == 1U);
    BOOST_TEST(moved.public_https == first.public_https);
}

BOOST_AUTO_TEST_CASE(configured_urls_are_kept_and_another_is_refused) {
    Installation i;
    auto first = Installation::on_free_ports();
    first.public_https = "https://ca.example.com";
    i.start(first);
    BOOST_TEST(first.public_https == "https://ca.example.com");
    auto same = Installation::on_free_ports();
    same.public_https = "https://ca.example.com";
    i.start(same);
    auto unset = Installation::on_free_ports();
    i.start(unset);
    BOOST_TEST(unset.public_https == "https://ca.example.com");
    auto other = Installation::on_free_ports();
    other.public_https = "https://pki.example.com";
    BOOST_CHECK_EXCEPTION(i.start(other), std::runtime_error,
                          says("[public] https = \"https://pki.example.com\", but this store was set up as \"https://ca.example.com\""));
    auto derived = Installation::on_free_ports();
    derived.public_http = "http://pki.example.com";
    BOOST_CHECK_EXCEPTION(i.start(derived), std::runtime_error, says("[public] http = \"http://pki.example.com\", but this store was set up as \"http://127.0.0.1:"));
}

BOOST_AUTO_TEST_CASE(every_address_is_no_name) {
    for (const auto* host : {"0.0.0.0", "::"}) {
        const auto name = app::public_host(Address(host, 1));
        BOOST_TEST(!name.empty());
        BOOST_TEST(name != host);
    }
    BOOST_TEST(app::public_host(Address("192.0.2.1", 1)) == "192.0.2.1");
    BOOST_TEST(Address(app::public_host(Address("2001:db8::1", 1)), 1).authority() == "[2001:db8::1]:1");
}

BOOST_AUTO_TEST_SUITE_END()
