#include <iostream>

#include "app/verbs/verbs.hpp"

namespace postern::app::verbs {

namespace {

void print(const json::Value& root) {
    std::cout << "wall clock       " << text(root["wall"]) << "\n"
              << "monotonic clock  " << text(root["expected"]) << "\n"
              << (root["database"].is_null() ? "" : "database's clock " + text(root["database"]) + "\n")
              << "newest record    " << text(root["store"]) << "\n";
    if (truth(root["agree"]))
        std::cout << "They agree.\n";
    else
        std::cout << "They do not agree, so nothing is issued: " << text(root["reason"]) << "\n";
}

int show(const Common& common) { return ask(common, make_request(http::Method::get, "/api/postern/v1/clock"), print); }

int accept(const Common& common) { return ask(common, make_request(http::Method::post, "/api/postern/v1/clock/accept"), print); }

}  // namespace

void add_clock(CLI::App& app, Common& common, Run& run) {
    auto* noun = app.add_subcommand("clock", "Whether the clocks agree");
    noun->require_subcommand(0, 1);
    add_common(*noun, common);
    noun->callback([noun, &common, &run] {
        if (noun->get_subcommands().empty()) run = [&common] { return show(common); };
    });
    auto* shown = noun->add_subcommand("show", "Print wall clock, monotonic clock and the store's newest record");
    add_common(*shown, common);
    shown->callback([&common, &run] { run = [&common] { return show(common); }; });
    auto* accepted = noun->add_subcommand("accept", "Take the wall clock for right from now on, and issue again");
    add_common(*accepted, common);
    accepted->callback([&common, &run] { run = [&common] { return accept(common); }; });
}

}  // namespace postern::app::verbs
