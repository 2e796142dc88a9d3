#include <iostream>

#include "app/verbs/verbs.hpp"

namespace postern::app::verbs {

namespace {

int reload(const Common& common) {
    return ask(common, make_request(http::Method::post, "/api/postern/v1/reload"), [](const json::Value& root) {
        for (const auto& key : root["changed"].items()) std::cout << "changed: " << text(key) << "\n";
        for (const auto& key : root["restart"].items()) std::cout << "needs a restart: " << text(key) << "\n";
        std::cout << "Reloaded.\n";
    });
}

}  // namespace

void add_reload(CLI::App& app, Common& common, Run& run) {
    auto* verb = app.add_subcommand("reload", "Have the running server read its configuration, TLS certificate and log file again, as SIGHUP does");
    add_common(*verb, common);
    verb->callback([&common, &run] { run = [&common] { return reload(common); }; });
}

}  // namespace postern::app::verbs
