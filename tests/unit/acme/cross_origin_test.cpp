#include <boost/test/unit_test.hpp>

#include "tests/unit/acme/world.hpp"

using namespace postern;
using namespace postern::test;

namespace {
struct Fixture {
    World world;
    Client client{world, "open"};
    static void check_readable(const http::Response& answer) {
        BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "*");
        for (const auto* name : {"Link", "Location", "Replay-Nonce", "Retry-After"})
            BOOST_TEST((answer.header("Access-Control-Expose-Headers").find(name) != std::string_view::npos), name);
    }
    static bool has_index(const http::Response& answer) {
        return std::ranges::any_of(answer.headers, [](const auto& h) { return h.first == "Link" && h.second == "<https://acme.test:8443/acme/open/directory>;rel=\"index\""; });
    }
};
}  // namespace

BOOST_FIXTURE_TEST_SUITE(acme_cross_origin, Fixture)

BOOST_AUTO_TEST_CASE(any_origin_reads_answers_and_refusals) {
    check_readable(world.get("/acme/open/directory"));
    check_readable(world.get("/acme/open/new-nonce", http::Method::head));
    check_readable(client.register_account().response);
    check_readable(client.post(client.url("new-order"), "x").response);
    check_readable(world.get("/acme/open/new-order"));
    check_readable(world.get("/acme/open/nowhere"));
}

BOOST_AUTO_TEST_CASE(a_browser_may_ask_before_it_posts) {
    const auto asked = world.get("/acme/open/new-order", http::Method::options);
    BOOST_TEST(asked.status == 204U);
    check_readable(asked);
    BOOST_TEST(asked.header("Access-Control-Allow-Methods") == "POST");
    BOOST_TEST(asked.header("Access-Control-Allow-Headers") == "Content-Type");
    BOOST_TEST(asked.header("Allow") == "POST, OPTIONS");
    BOOST_TEST(asked.header("Replay-Nonce").empty());
    BOOST_TEST(world.get("/acme/open/new-nonce", http::Method::options).header("Access-Control-Allow-Methods") == "GET, HEAD, POST");
    BOOST_TEST(world.get("/acme/open/nowhere", http::Method::options).status == 404U);
}

BOOST_AUTO_TEST_CASE(what_no_route_answers_leads_to_the_directory_too) {
    const auto refused = world.get("/acme/open/new-order");
    BOOST_TEST(refused.status == 405U);
    BOOST_TEST((has_index(refused) && !refused.header("Replay-Nonce").empty()));
    BOOST_TEST(has_index(world.get("/acme/open/nowhere")));
    // A directory that is none is not named.
    for (const auto* path : {"/acme/none/nowhere", "/acme/", "/acme//x"}) BOOST_TEST(!has_index(world.get(path)), path);
}

BOOST_AUTO_TEST_SUITE_END()
