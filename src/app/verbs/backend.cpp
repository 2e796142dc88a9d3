#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

void print(const json::Value& b) {
    const auto joined = [&](std::string_view name) {
        std::string out;
        for (const auto& item : b[name].items()) out += (out.empty() ? "" : ",") + text(item);
        return out.empty() ? std::string("-") : out;
    };
    std::cout << text(b["backend"]) << "  " << (truth(b["ready"]) ? "ready" : "not ready") << "  operations " << joined("operations") << "  profiles " << joined("profiles") << "\n";
}

int test(const Common& common, const std::string& backend) {
    json::Writer w;
    w.begin_object().member("backend", backend).end_object();
    return ask(common, make_request(http::Method::post, "/api/postern/v1/backends/test", w.take()),
               [](const json::Value& answer) { std::cout << text(answer["backend"]) << ": " << text(answer["said"]) << "\n"; });
}

}  // namespace

void add_backend(CLI::App& app, Common& common, Run& run) {
    auto backend = std::make_shared<std::string>();
    auto* noun = app.add_subcommand("backend", "CAs behind a command");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("list", "Those that documents describe");
    add_common(*list_verb, common);
    list_verb->callback([&common, &run] { run = [&common] { return ask_lines(common, "/api/postern/v1/backends", print); }; });
    auto* test_verb = noun->add_subcommand("test", "Check the program, and ask it whether it is well; nothing is issued");
    add_common(*test_verb, common);
    test_verb->add_option("BACKEND", *backend, "TENANT/NAME")->required();
    test_verb->callback([backend, &common, &run] { run = [backend, &common] { return test(common, *backend); }; });
}

}  // namespace postern::app::verbs
