#include <algorithm>
#include <cctype>
#include <iostream>

#include "app/verbs/verbs.hpp"
#include "core/json/reader.hpp"

namespace postern::app::verbs {

namespace {

void print_record(const json::Value& r) {
    std::cout << text(r["at"]) << "  " << text(r["action"]) << "  " << text(r["outcome"]);
    if (!text(r["check"]).empty()) std::cout << " by " << text(r["check"]);
    std::cout << "\n    by " << text(r["actor"]) << ", " << text(r["object"]) << ", request " << text(r["request"]) << "\n";
    const auto detail = r["detail"];
    for (const auto& [name, value] : detail.members())
        if (name != "trace" && value.is_string()) std::cout << "    " << name << ": " << text(value) << "\n";
    if (const auto problem = detail["problem"]; problem.exists()) std::cout << "    refusal: " << text(problem["detail"]) << "\n";
    for (const auto& e : detail["trace"].items()) {
        std::cout << "    [" << text(e["verdict"]) << "] " << text(e["check"]);
        if (!text(e["input"]).empty()) std::cout << ": " << text(e["input"]);
        if (!text(e["reason"]).empty()) std::cout << " -- " << text(e["reason"]);
        std::cout << "\n";
    }
}

int explain(const Common& common, std::string reference) {
    // openssl prints serials in capitals.
    std::transform(reference.begin(), reference.end(), reference.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::get, "/api/postern/v1/explain/" + reference));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body << "\n";
        return 0;
    }
    json::Limits limits;
    limits.bytes = answer.body.size() + 1;
    const auto document = json::Document::parse(answer.body, limits);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    for (const auto& record : document->root()["records"].items()) print_record(record);
    return 0;
}

}  // namespace

void add_explain(CLI::App& app, Common& common, Run& run) {
    auto reference = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("explain", "Print every check and record of a request");
    add_common(*verb, common);
    verb->add_option("REQUEST", *reference, "Request id (X-Request-Id), enrollment number or certificate serial")->required();
    verb->callback([reference, &common, &run] { run = [reference, &common] { return explain(common, *reference); }; });
}

}  // namespace postern::app::verbs
