#include <filesystem>
#include <iostream>

#include "app/data_folder.hpp"
#include "app/verbs/secret_files.hpp"
#include "app/verbs/verbs.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    std::vector<std::string> files;
    bool dry_run = false, prune = false;
};

std::string request_body(const Options& o) {
    json::Writer w;
    w.begin_object().key("documents").begin_array();
    for (const auto& file : o.files)
        w.begin_object().member("name", file).member("text", with_secret_values(read_file(file), file)).end_object();
    w.end_array().member("dryRun", o.dry_run).member("prune", o.prune).end_object();
    return w.take();
}

void print_plan(const json::Value& root) {
    std::size_t kept = 0;
    for (const auto& line : root["plan"].items()) {
        const auto change = text(line["change"]);
        if (change == "keep") {
            ++kept;
            continue;
        }
        const char sign = change == "create" ? '+' : change == "remove" ? '-' : '~';
        std::cout << sign << ' ' << text(line["kind"]) << ' ' << text(line["name"]) << "\n";
        for (const auto& field : line["fields"].items()) std::cout << "    " << text(field) << "\n";
    }
    if (kept > 0) std::cout << "  " << kept << " unchanged\n";
    for (const auto& s : root["secrets"].items()) {
        std::cout << "\naccount " << text(s["account"]) << ", shown this once:\n";
        if (s["password"].exists()) std::cout << "  user         " << text(s["user"]) << "\n  password     " << text(s["password"]) << "\n";
        if (s["accessCode"].exists()) std::cout << "  access code  " << text(s["accessCode"]) << "\n";
        if (s["webhookSecret"].exists()) std::cout << "  webhook secret  " << text(s["webhookSecret"]) << "\n";
        if (s["keyId"].exists()) std::cout << "  key id   " << text(s["keyId"]) << "\n  MAC key  " << text(s["macKey"]) << "\n";
    }
    const bool changed = truth(root["changed"]), dry = truth(root["dryRun"]);
    std::cout << (dry ? "Nothing was changed (--dry-run).\n" : changed ? "Applied.\n" : "Nothing to change.\n");
}

int apply(const Common& common, const Options& o) {
    auto body = request_body(o);
    return ask(common, make_request(http::Method::post, "/api/postern/v1/apply", std::move(body)), [](const json::Value& root) {
        print_plan(root);
    });
}

}  // namespace

void add_apply(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("apply", "Show what documents would change, and make it so");
    add_common(*verb, common);
    verb->add_option("FILE", o->files, "TOML documents")->required()->check(CLI::ExistingFile);
    verb->add_flag("--dry-run", o->dry_run, "Show the plan only");
    verb->add_flag("--prune", o->prune, "Remove objects of the same tenants that no document names");
    verb->callback([o, &common, &run] { run = [o, &common] { return apply(common, *o); }; });
}

void add_export(CLI::App& app, Common& common, Run& run) {
    auto* verb = app.add_subcommand("export", "Print the configuration as documents that apply takes back");
    add_common(*verb, common);
    verb->remove_option(verb->get_option("--json"));  // what apply takes back is TOML
    verb->callback([&common, &run] {
        run = [&common] {
            const auto door = Door::open(common.door);
            const auto answer = door->ask(make_request(http::Method::get, "/api/postern/v1/export"));
            if (const int failed = report(answer)) return failed;
            std::cout << answer.body;
            return 0;
        };
    });
}

}  // namespace postern::app::verbs
