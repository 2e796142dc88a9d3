#include "tests/unit/est/world.hpp"

/// What a source may try, and leave behind.
using namespace postern;

namespace {

constexpr std::string_view site = R"([[tenant]]
name = "default"

[[profile]]
name = "device"
lifetime = "30d"
backend = "scripted"
extended_key_usage = ["clientAuth"]
common_name = "text"

[[endpoint]]
name = "routers"
protocol = "est"
profiles = ["device"]

[[account]]
name = "factory"
endpoint = "routers"
method = "basic"
common_names = ["*"]
secret = {generate = true}

[[endpoint]]
name = "laboratory"
protocol = "est"
profiles = ["device"]

[[account]]
name = "everybody"
endpoint = "laboratory"
method = "open"
common_names = ["lab-*"]
)";

struct Routers : test::EstWorld {
    Routers() : EstWorld(site) {}

    unsigned guess(std::string user, std::string address) {
        Shown shown;
        shown.authorization = basic(user, "guess-" + std::to_string(++guesses));
        shown.address = std::move(address);
        return run(ask(est::simpleenroll, "routers", request_for("r1"), std::move(shown))).status;
    }
    unsigned ask_laboratory(std::string body, std::string address = "192.0.2.1") {
        Shown shown;
        shown.address = std::move(address);
        return run(ask(est::simpleenroll, "laboratory", std::move(body), std::move(shown))).status;
    }
    std::size_t rows() { return audits("request.refused").size() + audits("enrollment.refused").size(); }
    int guesses = 0;
};

constexpr int most_rows = ra::Refusals::of_credentials.of_source;

}  // namespace

BOOST_AUTO_TEST_SUITE(est_sources)

BOOST_FIXTURE_TEST_CASE(all_addresses_of_a_64_wait_together, Routers) {
    const auto address = [](int number) { return "2001:db8:1:2::" + std::to_string(number); };
    for (int i = 0; i < 4; ++i) BOOST_TEST(guess("factory", address(i)) == 401U);
    BOOST_TEST(guess("factory", address(4)) == 429U);
    BOOST_TEST(guess("factory", "2001:db8:1:3::1") == 401U);
    for (int i = 0; i < 4; ++i) BOOST_TEST(guess("factory", i % 2 == 0 ? "192.0.2.9" : "::ffff:192.0.2.9") == 401U);
    BOOST_TEST(guess("factory", "192.0.2.9") == 429U);
}

BOOST_FIXTURE_TEST_CASE(all_addresses_of_a_64_have_rows_together, Routers) {
    for (int i = 0; i < most_rows + 20; ++i) BOOST_TEST(guess("user" + std::to_string(i), "2001:db8::" + std::to_string(i)) == 401U);
    BOOST_TEST(rows() == std::size_t(most_rows));
}

BOOST_FIXTURE_TEST_CASE(who_shows_nothing_has_so_many_rows_whatever_refuses, Routers) {
    const auto forbidden = request_for("somebody-else");
    const std::string unreadable = "bm90aGluZw==";
    for (int i = 0; i < most_rows; ++i) {
        BOOST_TEST(ask_laboratory(forbidden) == 403U);
        BOOST_TEST(ask_laboratory(unreadable) == 400U);
    }
    BOOST_TEST(rows() == std::size_t(most_rows));
    BOOST_TEST(ask_laboratory(forbidden, "192.0.2.2") == 403U);
    BOOST_TEST(rows() == std::size_t(most_rows + 1));
    clock.advance(ra::Refusals::of_credentials.source_again);
    BOOST_TEST(ask_laboratory(forbidden) == 403U);
    const auto last = audits("enrollment.refused").back().text(3);
    BOOST_TEST(test::contains(last, "\"not_recorded_before\":" + std::to_string(most_rows)));
    BOOST_TEST(ask_laboratory(request_for("lab-1")) == 200U);
}

BOOST_AUTO_TEST_SUITE_END()
