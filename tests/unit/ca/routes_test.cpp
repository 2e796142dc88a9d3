#include "tests/unit/ca/support.hpp"

using namespace postern;
using namespace postern::test;

namespace {

struct Served {
    Served() : ca(world.open()) {
        ca->add_routes(router);
        root_id = core::hex(crypto::Certificate::parse(ca->root_der())->subject_key_id());
    }
    World world;
    std::unique_ptr<ca::BuiltinCa> ca;
    http::Router router;
    std::string root_id;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_routes)

BOOST_FIXTURE_TEST_CASE(files_have_the_media_types_that_clients_expect, Served) {
    const std::pair<std::string, std::string> expected[] = {
        {"/ca/" + root_id + ".cer", "application/pkix-cert"}, {"/ca/root.cer", "application/pkix-cert"},
        {"/ca/" + root_id + ".pem", "application/x-pem-file"}, {"/ca/root.pem", "application/x-pem-file"},
        {"/ca/chain.pem", "application/x-pem-file"},           {"/crl/" + root_id + "/0.crl", "application/pkix-crl"}};
    for (const auto& [path, type] : expected) {
        const auto answer = get(router, path);
        BOOST_TEST(answer.status == 200U, path);
        BOOST_TEST(answer.header("Content-Type") == type, path);
        BOOST_TEST(answer.header("Cache-Control").find("max-age=") != std::string_view::npos, path);
    }
    BOOST_TEST(core::to_bytes(core::as_bytes(get(router, "/ca/root.cer").body)) == ca->root_der());
    BOOST_TEST(crypto::from_pem("CERTIFICATE", get(router, "/ca/chain.pem").body)->size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(other_names_are_absent, Served) {
    for (const auto* path : {"/ca/0000.cer", "/ca/root.der", "/ca/.cer", "/crl/0000/0.crl"})
        BOOST_TEST(get(router, path).status == 404U, path);
    BOOST_TEST(get(router, "/crl/" + root_id + "/1.crl").status == 404U);
    BOOST_TEST(get(router, "/ca/" + root_id + ".key").status == 404U);
}

BOOST_FIXTURE_TEST_CASE(a_crl_is_cached_for_a_minute_and_not_beyond_its_end, Served) {
    const auto path = "/crl/" + root_id + "/0.crl";
    const auto fresh = get(router, path);
    BOOST_TEST(fresh.header("Cache-Control") == "public, max-age=60");
    BOOST_TEST(fresh.header("ETag") == "\"1\"");
    http::Headers headers;
    headers.emplace_back("If-None-Match", "\"1\"");
    const auto known = get(router, path, headers);
    BOOST_TEST(known.status == 304U);
    BOOST_TEST(known.body.empty());
    world.clock.advance(24h * 7 - 20s);
    BOOST_TEST(get(router, path).header("Cache-Control") == "public, max-age=20");
    world.clock.advance(1h);
    BOOST_TEST(get(router, path).header("Cache-Control") == "public, max-age=0");
}

BOOST_AUTO_TEST_SUITE_END()
