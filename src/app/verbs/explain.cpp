#include <iostream>

#include "app/verbs/verbs.hpp"
#include "core/json/escape.hpp"
#include "core/json/reader.hpp"

namespace postern::app::verbs {

namespace {

/// Texts and numbers on a line, lists with a line each: "changes", "steps" of a validation.
void print_member(std::string_view name, const json::Value& value) {
    const auto label = "    " + json::printable(name) + ": ";
    if (value.is_string()) std::cout << label << text(value) << "\n";
    if (const auto n = value.integer()) std::cout << label << *n << "\n";
    for (const auto& item : value.items())
        if (item.is_string()) std::cout << label << text(item) << "\n";
}

void print_record(const json::Value& r) {
    std::cout << text(r["at"]) << "  " << text(r["action"]) << "  " << text(r["outcome"]);
    if (!text(r["check"]).empty()) std::cout << " by " << text(r["check"]);
    std::cout << "\n    by " << text(r["actor"]) << ", " << text(r["object"]) << ", request " << text(r["request"]) << "\n";
    const auto detail = r["detail"];
    for (const auto& [name, value] : detail.members())
        if (name != "trace" && name != "problem") print_member(name, value);
    if (const auto problem = detail["problem"]; problem.exists()) std::cout << "    refusal: " << text(problem["detail"]) << "\n";
    for (const auto& e : detail["trace"].items()) {
        std::cout << "    [" << text(e["verdict"]) << "] " << text(e["check"]);
        if (!text(e["input"]).empty()) std::cout << ": " << text(e["input"]);
        if (!text(e["reason"]).empty()) std::cout << " -- " << text(e["reason"]);
        std::cout << "\n";
    }
}

void print_authority(const json::Value& a) {
    std::cout << (text(a["kind"]) == "root" ? "Root " : "Issuing CA ") << text(a["authority"]) << ", " << text(a["subject"]);
    if (text(a["kind"]) != "root") std::cout << ", under root " << text(a["issuer"]);
    std::cout << "\n    made at " << text(a["made"]);
    if (truth(a["withdrawn"])) std::cout << ", withdrawn before its day";
    else if (a["takesOver"].exists()) std::cout << ", in force from " << text(a["takesOver"]) << " on";
    else std::cout << ", with the installation";
    std::cout << ", ends at " << text(a["notAfter"]) << "\n";
}

int explain(const Common& common, const std::string& reference) {
    return ask(common, make_request(http::Method::get, "/api/postern/v1/explain?reference=" + unreserved(reference)), [](const json::Value& root) {
        if (root["authority"].exists()) print_authority(root["authority"]);
        for (const auto& record : root["records"].items()) print_record(record);
        if (truth(root["truncated"])) std::cout << "There are older records; ask by order, serial or request id.\n";
    });
}

}  // namespace

void add_explain(CLI::App& app, Common& common, Run& run) {
    auto reference = std::make_shared<std::string>();
    auto* verb = app.add_subcommand("explain", "Print every check and record of a request");
    add_common(*verb, common);
    verb->add_option("REF", *reference, "Request id, number, serial, key id of a CA, token of an order or certificate, account or name")->required();
    verb->callback([reference, &common, &run] { run = [reference, &common] { return explain(common, *reference); }; });
}

}  // namespace postern::app::verbs
