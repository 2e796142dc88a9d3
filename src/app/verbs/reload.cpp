#include <iostream>

#include "app/verbs/verbs.hpp"

namespace postern::app::verbs {

namespace {

int reload(const Common& common) {
    const auto door = Door::open(common.door);
    const auto answer = door->ask(make_request(http::Method::post, "/api/postern/v1/reload"));
    if (const int failed = report(answer)) return failed;
    if (common.json) {
        std::cout << answer.body << "\n";
        return 0;
    }
    const auto document = json::Document::parse(answer.body);
    if (!document) throw std::runtime_error("the server's answer is no JSON");
    for (const auto& key : document->root()["changed"].items()) std::cout << "changed: " << text(key) << "\n";
    for (const auto& key : document->root()["restart"].items()) std::cout << "needs a restart: " << text(key) << "\n";
    std::cout << "Reloaded.\n";
    return 0;
}

}  // namespace

void add_reload(CLI::App& app, Common& common, Run& run) {
    auto* verb = app.add_subcommand("reload", "Have the running server read its configuration, TLS certificate and log file again, as SIGHUP does");
    add_common(*verb, common);
    verb->callback([&common, &run] { run = [&common] { return reload(common); }; });
}

}  // namespace postern::app::verbs
