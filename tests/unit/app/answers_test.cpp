#include "app/verbs/answers.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(app_answers)

using namespace postern;
using namespace postern::app;

namespace {

/// Has pages to give, and remembers what it was asked.
class ScriptedDoor final : public Door {
public:
    http::Response ask(http::Request request) override {
        asked.push_back(request.target);
        auto page = std::move(pages.front());
        pages.erase(pages.begin());
        return page;
    }
    void give(std::string body, std::string_view next = {}, unsigned status = 200) {
        http::Response page(status, "application/x-ndjson", std::move(body));
        if (!next.empty()) page.set("X-Next-After", std::string(next));
        pages.push_back(std::move(page));
    }
    std::vector<http::Response> pages;
    std::vector<std::string> asked;
};

std::string ids(std::string_view lines) {
    std::string out;
    verbs::each_object(lines, [&](const json::Value& v) { out += std::to_string(v["id"].integer().value()) + ";"; });
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_page_is_asked_for_until_none_is_named) {
    ScriptedDoor door;
    door.give("{\"id\":1}\n{\"id\":2}\n", "certificate.issued/2");
    door.give("", "3");
    door.give("{\"id\":4}\n");
    std::string seen;
    BOOST_TEST(verbs::each_page(door, "/list?held=1", [&](const std::string& page) { seen += ids(page) + "|"; }) == 0);
    BOOST_TEST(seen == "1;2;||4;|");
    const std::vector<std::string> expected{"/list?held=1", "/list?held=1&after=certificate.issued%2F2", "/list?held=1&after=3"};
    BOOST_TEST(door.asked == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_target_without_a_query_gets_one) {
    ScriptedDoor door;
    door.give("", "7");
    door.give("");
    BOOST_TEST(verbs::each_page(door, "/list", [](const std::string&) {}) == 0);
    BOOST_TEST(door.asked.back() == "/list?after=7");
}

BOOST_AUTO_TEST_CASE(a_page_that_is_refused_ends_the_listing) {
    ScriptedDoor door;
    door.give("{\"id\":1}\n", "1");
    door.give(R"({"description":"this needs auditor"})", {}, 403);
    int pages = 0;
    BOOST_TEST(verbs::each_page(door, "/list", [&](const std::string&) { ++pages; }) == 1);
    BOOST_TEST(pages == 1);
}

BOOST_AUTO_TEST_CASE(objects_stand_one_a_line) {
    BOOST_TEST(ids("") == "");
    BOOST_TEST(ids("{\"id\":1}\n{\"id\":2}") == "1;2;");
    const auto refused = [](const std::exception& e) { return std::string_view(e.what()) == "the server's answer is no JSON"; };
    BOOST_CHECK_EXCEPTION(ids("{\"id\":1}\nnonsense\n"), std::runtime_error, refused);
}

BOOST_AUTO_TEST_SUITE_END()
