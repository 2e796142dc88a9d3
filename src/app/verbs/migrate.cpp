#include <filesystem>
#include <iostream>

#include "app/data_folder.hpp"
#include "app/store.hpp"
#include "app/verbs/configuration.hpp"
#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options : StoreOptions {
    Options() = default;
    bool plan = false, embedded = false, json = false;
};

struct Outcome {
    Outcome() = default;
    store::SchemaState before;
    store::SchemaState now;
};

/// An embedded store has one process at a time; a PostgreSQL one may be migrated while older nodes serve on it.
Outcome migrate(const Config& config, bool plan) {
    Outcome out;
    if (is_postgres(config) || !std::filesystem::is_directory(config.data)) {
        out.before = look_at_schema(config, false);
    } else if (plan) {
        out.before = look_at_schema(config, in_use(config.data));
    } else {
        const DataFolder lock(config.data);
        out.before = look_at_schema(config, false);
    }
    out.now = out.before;
    if (plan || out.before.missing().empty()) return out;
    if (out.before.applied.empty() && !is_postgres(config))
        throw std::runtime_error(shown_store(config) + " holds no Postern data; `postern serve` makes it, with its schema");
    const core::SystemClock clock;
    observe::Metrics metrics;
    open_store(config, clock, metrics)->close();
    out.now = look_at_schema(config, false);
    return out;
}

void print_json(const Config& config, const Outcome& outcome) {
    json::Writer w;
    w.begin_object().member("store", shown_store(config)).key("migrations").begin_array();
    for (std::size_t i = 0; i < outcome.now.known.size(); ++i) {
        const auto& m = outcome.now.known[i];
        w.begin_object().member("number", static_cast<std::int64_t>(m.number)).member("name", m.name);
        if (i < outcome.now.applied.size()) w.member("applied", core::rfc3339(outcome.now.applied[i]));
        w.end_object();
    }
    w.end_array().member("missing", static_cast<std::int64_t>(outcome.now.missing().size())).end_object();
    std::cout << w.take() << "\n";
}

void print(const Config& config, const Outcome& outcome, bool plan) {
    std::cout << shown_store(config) << "\n";
    for (std::size_t i = 0; i < outcome.now.known.size(); ++i) {
        const auto& m = outcome.now.known[i];
        std::cout << "  " << store::file_name(m) << "  "
                  << (i >= outcome.now.applied.size() ? "missing" : "applied at " + core::rfc3339(outcome.now.applied[i])) << "\n";
    }
    const auto missing = outcome.before.missing().size();
    if (outcome.now.newer())
        std::cout << "A later Postern made schema " << outcome.now.applied.size() << "; this one knows " << outcome.now.known.size() << ", and may run on it.\n";
    if (missing == 0)
        std::cout << "Nothing is missing.\n";
    else if (plan)
        std::cout << missing << " missing; `postern migrate` applies all of them or none.\n";
    else
        std::cout << "Applied " << missing << ".\n";
}

int run_migrate(const Options& o) {
    const auto config = settle_store(o);
    if (!config) {
        std::cerr << "postern: " << config.error().detail << "\n";
        return 2;
    }
    if (o.embedded && (is_postgres(*config) || !std::filesystem::exists(store_path(*config)))) {
        std::cout << "There is no embedded store; nothing was done.\n";
        return 0;
    }
    const auto outcome = migrate(*config, o.plan);
    if (o.json)
        print_json(*config, outcome);
    else
        print(*config, outcome, o.plan);
    return 0;
}

}  // namespace

void add_migrate(CLI::App& app, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("migrate", "Bring the store's schema up to this version; a server that lacks some of it does not start");
    add_store(*verb, *o);
    verb->add_option("--store", o->store, "Store: sqlite:PATH or postgres://USER@HOST/DATABASE (default: what the server uses)");
    verb->add_flag("--plan", o->plan, "Show what is applied and what is missing; change nothing");
    verb->add_flag("--embedded", o->embedded, "Only where the store is SQLite and there: for packages, which do not know who else uses a PostgreSQL one");
    verb->add_flag("--json", o->json, "Print JSON");
    verb->callback([o, &run] { run = [o] { return run_migrate(*o); }; });
}

}  // namespace postern::app::verbs
