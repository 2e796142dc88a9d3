#include <iostream>

#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

void print(const json::Value& root) {
    std::cout << "wall clock       " << text(root["wall"]) << "\n"
              << "monotonic clock  " << text(root["expected"]) << "\n"
              << (root["database"].is_null() ? "" : "database's clock " + text(root["database"]) + "\n")
              << "newest record    " << text(root["store"]) << "\n";
    if (root["laboratory"].exists()) std::cout << "laboratory       " << text(root["laboratory"]) << ", set forward: what is issued is dated by it\n";
    if (truth(root["agree"]))
        std::cout << "They agree.\n";
    else
        std::cout << "They do not agree, so nothing is issued: " << text(root["reason"]) << "\n";
}

int show(const Common& common) { return ask(common, make_request(http::Method::get, "/api/postern/v1/clock"), print); }

int accept(const Common& common) { return ask(common, make_request(http::Method::post, "/api/postern/v1/clock/accept"), print); }

int set_forward(const Common& common, const std::string& by) {
    json::Writer w;
    w.begin_object().member("advance", by).end_object();
    return ask(common, make_request(http::Method::post, "/lab/clock", w.take()), print);
}

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
    auto* advanced = noun->add_subcommand("advance", "Set a laboratory's clock forward, on all its nodes, for good");
    add_common(*advanced, common);
    const auto by = std::make_shared<std::string>();
    advanced->add_option("DURATION", *by, "30d, 12h, 90s")->required();
    advanced->callback([&common, &run, by] { run = [&common, by] { return set_forward(common, *by); }; });
}

}  // namespace postern::app::verbs
