#include <iostream>

#include "app/verbs/answers.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

constexpr std::string_view route = "/api/postern/v1/outbox";

struct Options {
    Options() = default;
    std::vector<std::string> ids;
    bool waiting = false, all = false;
};

void print(const json::Value& m) {
    std::cout << text(m["id"]) << "  " << text(m["created"]) << "  " << m["failures"].integer().value() << " failures";
    if (const auto why = text(m["lastError"]); !why.empty()) std::cout << "  " << why;
    std::cout << "\n";
}

std::string listing(std::string_view status) { return std::string(route) + "?status=" + std::string(status); }

/// `verb`: the last part of the route; `done`: "Dropped".
int conclude(const Common& common, const Options& o, std::string_view verb, std::string_view done) {
    if (o.all == !o.ids.empty()) throw std::runtime_error("name messages, or say --all");
    const auto door = Door::open(common.door);
    auto ids = o.ids;
    // All that is parked now: what is parked again meanwhile is left for the next time.
    if (o.all) {
        const auto gather = [&](const json::Value& m) { ids.emplace_back(m["id"].string().value()); };
        const int failed = each_page(*door, listing("parked"), [&](const std::string& page) { each_object(page, gather); });
        if (failed) return failed;
    }
    for (const auto& id : ids) {
        json::Writer w;
        w.begin_object().member("id", id).end_object();
        const auto answer = door->ask(make_request(http::Method::post, std::string(route) + "/" + std::string(verb), w.take()));
        if (const int failed = report(answer)) return failed;
        if (!common.json)
            std::cout << done << " " << json::printable(id) << ".\n";
    }
    if (ids.empty() && !common.json) std::cout << "No message is parked.\n";
    return 0;
}

}  // namespace

void add_outbox(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* noun = app.add_subcommand("outbox", "Messages that could not be delivered");
    noun->require_subcommand(1);
    auto* list_verb = noun->add_subcommand("list", "Messages that are tried no more, with the last error");
    add_common(*list_verb, common);
    list_verb->add_flag("--waiting", o->waiting, "Those that are still tried instead");
    list_verb->callback([o, &common, &run] { run = [o, &common] { return ask_lines(common, listing(o->waiting ? "waiting" : "parked"), print); }; });
    auto* retry_verb = noun->add_subcommand("retry", "Send parked messages again, from the first try on");
    add_common(*retry_verb, common);
    retry_verb->add_option("ID", o->ids, "As `postern outbox list` prints them");
    retry_verb->add_flag("--all", o->all, "Every parked message");
    retry_verb->callback([o, &common, &run] { run = [o, &common] { return conclude(common, *o, "retry", "Will be sent again:"); }; });
    auto* drop_verb = noun->add_subcommand("drop", "Never send parked messages; their content stays in the audit");
    add_common(*drop_verb, common);
    drop_verb->add_option("ID", o->ids, "As `postern outbox list` prints them");
    drop_verb->add_flag("--all", o->all, "Every parked message");
    drop_verb->callback([o, &common, &run] { run = [o, &common] { return conclude(common, *o, "drop", "Dropped"); }; });
}

}  // namespace postern::app::verbs
