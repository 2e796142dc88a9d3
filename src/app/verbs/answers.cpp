#include "app/verbs/answers.hpp"

#include <iostream>

namespace postern::app::verbs {

namespace {

json::Document parse(std::string_view text) {
    json::Limits limits;
    limits.bytes = text.size() + 1;
    auto document = json::Document::parse(text, limits);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    return std::move(*document);
}

}  // namespace

json::Document parsed(const http::Response& answer) { return parse(answer.body); }

void each_object(std::string_view lines, const std::function<void(const json::Value&)>& each) {
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        const auto document = parse(lines.substr(0, end));
        each(document.root());
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
}

int each_page(Door& door, const std::string& target, const std::function<void(const std::string&)>& each) {
    const std::string next = target + (target.find('?') == std::string::npos ? "?" : "&") + "after=";
    std::string after;
    do {
        const auto answer = door.ask(make_request(http::Method::get, after.empty() ? target : next + unreserved(after)));
        if (const int failed = report(answer)) return failed;
        each(answer.body);
        after = answer.header("X-Next-After");
    } while (!after.empty());
    return 0;
}

int ask_lines(const Common& common, const std::string& target, const std::function<void(const json::Value&)>& print) {
    const auto door = Door::open(common.door);
    return each_page(*door, target, [&](const std::string& page) {
        if (common.json)
            std::cout << page;
        else
            each_object(page, print);
    });
}

int ask_done(const Common& common, http::Request request, const std::string& done) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(std::move(request));
    if (const int failed = report(answer)) return failed;
    if (!common.json) std::cout << done << "\n";
    return 0;
}

}  // namespace postern::app::verbs
