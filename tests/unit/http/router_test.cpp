#include <boost/test/unit_test.hpp>

#include "tests/unit/http/support.hpp"

using namespace postern;
using namespace postern::http;

namespace {

core::Task<Response> text_page(unsigned status, std::string text) { co_return Response(status, "text/plain", std::move(text)); }

struct Fixture {
    Fixture() {
        add(Method::get, "/acme/{endpoint:label}/directory");
        add(Method::get, "/acme/{endpoint:label}/order/{order:token}");
        add(Method::post, "/acme/{endpoint:label}/order/{order:token}");
        add(Method::get, "/number/{n:number}");
        add(Method::get, "/serial/{s:serial}");
        add(Method::get, "/ca/{file:file}");
        add(Method::get, "/mixed/fixed");
        add(Method::get, "/mixed/{n:number}");
        add(Method::get, "/mixed/{name:label}");
        add(Method::post, "/mixed/{name:label}/deep");
        add(Method::get, "/any/{what:segment}");
        add(Method::get, "/");
    }
    void add(Method m, std::string_view pattern) { router.add(m, pattern, RouteLimits(), test::text_handler(std::string(pattern))); }
    std::string pattern_of(std::string_view path) { return std::string(router.match(Method::get, path).pattern); }
    unsigned status_of(Method m, std::string_view path) {
        const auto match = router.match(m, path);
        return match.handler != nullptr ? 200 : match.status;
    }
    Response run(Method m, const std::string& path) {
        Request request;
        request.method = m;
        request.path = path;
        return core::run_to_end(router.handle(std::move(request)));
    }

    Router router;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_router, Fixture)

BOOST_AUTO_TEST_CASE(parameters_are_captured_by_name) {
    const auto match = router.match(Method::post, "/acme/web-1.prod/order/AAAAAAAAAAAAAAAAAAAA-_");
    BOOST_REQUIRE(match.handler != nullptr);
    BOOST_TEST(match.params["endpoint"] == "web-1.prod");
    BOOST_TEST(match.params["order"] == "AAAAAAAAAAAAAAAAAAAA-_");
    BOOST_TEST(match.pattern == "/acme/{endpoint:label}/order/{order:token}");
}

BOOST_AUTO_TEST_CASE(a_segment_of_the_wrong_type_is_not_found) {
    const std::vector<std::string> wrong{
        "/acme/Web/directory",         "/acme/-web/directory",   "/acme//directory",
        "/acme/..%2f/directory",       "/acme/a%00/directory",   "/acme/\xc0\xaf/directory",
        "/acme/web/order/short",       "/number/0",              "/number/01",
        "/number/9223372036854775808", "/number/-1",             "/serial/a-b",
        "/serial/xyz",                 "/ca/..",                 "/ca/.hidden",
        "/ca/a..b",                    "/acme/web/directory/",   "/acme/web",
        "/acme/" + std::string(65, 'a') + "/directory",          "/serial/" + std::string(65, 'a'),
        "",                            "acme/web/directory",     "//",
    };
    for (const std::string& path : wrong) BOOST_TEST(status_of(Method::get, path) == 404U, path);
}

BOOST_AUTO_TEST_CASE(the_bounds_of_each_type_are_found) {
    for (const std::string& path : {std::string("/number/9223372036854775807"), std::string("/number/1"),
                                    std::string("/serial/a"), std::string("/serial/0x0A:bc"), "/serial/" + std::string(64, 'f'),
                                    "/acme/" + std::string(64, 'a') + "/directory", std::string("/ca/Key_1.cer"), std::string("/")})
        BOOST_TEST(status_of(Method::get, path) == 200U, path);
}

BOOST_AUTO_TEST_CASE(literals_win_over_parameters_and_narrow_types_over_wide_ones) {
    BOOST_TEST(pattern_of("/mixed/fixed") == "/mixed/fixed");
    BOOST_TEST(pattern_of("/mixed/17") == "/mixed/{n:number}");
    BOOST_TEST(pattern_of("/mixed/abc") == "/mixed/{name:label}");
    BOOST_TEST(status_of(Method::post, "/mixed/17/deep") == 200U);
    BOOST_TEST(status_of(Method::post, "/mixed/fixed/deep") == 200U);
}

BOOST_AUTO_TEST_CASE(a_segment_is_whatever_stands_there) {
    const std::string longest(256, 'x');
    for (const std::string& what : {std::string("."), std::string("-A=.%%"), std::string("\xc0\xaf"), longest}) {
        const std::string path = "/any/" + what;
        const auto match = router.match(Method::get, path);
        BOOST_TEST_REQUIRE((match.handler != nullptr));
        BOOST_TEST(match.params["what"] == what);
    }
    for (const std::string& path : {std::string("/any/"), std::string("/any/a/b"), "/any/" + longest + "x"}) BOOST_TEST(status_of(Method::get, path) == 404U, path);
}

BOOST_AUTO_TEST_CASE(another_method_is_405_with_allow) {
    const auto match = router.match(Method::delete_, "/acme/web/order/AAAAAAAAAAAAAAAAAAAAAA");
    BOOST_TEST(match.status == 405U);
    BOOST_TEST(match.allow == "GET, HEAD, POST");
    const Response response = run(Method::put, "/number/5");
    BOOST_TEST(response.status == 405U);
    BOOST_TEST(response.header("Allow") == "GET, HEAD");
}

BOOST_AUTO_TEST_CASE(head_runs_the_get_handler_without_its_body) {
    BOOST_TEST(router.match(Method::head, "/number/5").head_of_get);
    BOOST_TEST(run(Method::head, "/number/5").body == "");
    BOOST_TEST(run(Method::get, "/number/5").body == "/number/{n:number}");
}

BOOST_AUTO_TEST_CASE(the_longest_prefix_renders_the_error) {
    auto page = [](std::string name) {
        return [name](const Request&, unsigned status, std::string_view detail) {
            return text_page(status, name + ": " + std::string(detail));
        };
    };
    router.error_page("/", page("all"));
    router.error_page("/acme/", page("acme"));
    BOOST_TEST(run(Method::get, "/acme/nothing").body == "acme: there is nothing at this path");
    BOOST_TEST(run(Method::get, "/nothing").body == "all: there is nothing at this path");
}

BOOST_AUTO_TEST_CASE(bad_patterns_are_refused_at_once) {
    for (const char* pattern : {"acme", "", "/{a}", "/{a:word}", "/x{a:label}", "/{a:label}x", "/{:label}",
                                "/{a:label}/{a:label}", "/a%20b"})
        BOOST_CHECK_THROW(add(Method::get, pattern), std::logic_error);
}

BOOST_AUTO_TEST_CASE(a_second_route_of_the_same_shape_is_refused) {
    BOOST_CHECK_THROW(add(Method::get, "/number/{other:number}"), std::logic_error);
    BOOST_CHECK_NO_THROW(add(Method::post, "/number/{n:number}"));
}

BOOST_AUTO_TEST_SUITE_END()
