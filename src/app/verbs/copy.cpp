#include "app/copy.hpp"

#include <unistd.h>

#include <iostream>

#include "app/verbs/configuration.hpp"
#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options : StoreOptions {
    Options() = default;
    std::string to, to_password_file;
    bool json = false;
};

/// On a terminal one line that is written over; nothing where nobody watches.
void show(const store::CopyStep& step) {
    if (::isatty(STDERR_FILENO) == 0) return;
    const bool writing = step.phase == store::CopyStep::Phase::writing;
    std::cerr << "\r\x1b[K" << (writing ? "writing " : "reading back ") << step.table << ": " << step.done << " of " << step.total << std::flush;
}

void print_json(const CopyReport& report) {
    json::Writer w;
    w.begin_object().member("from", report.from).member("to", report.to).member("rows", report.rows).key("tables").begin_array();
    for (const auto& table : report.tables)
        w.begin_object().member("name", table.name).member("rows", table.rows).member("digest", table.digest).end_object();
    w.end_array().end_object();
    std::cout << w.take() << "\n";
}

void print(const CopyReport& report) {
    for (const auto& table : report.tables)
        if (table.rows > 0) std::cout << "  " << table.name << ": " << table.rows << " rows, digest " << table.digest.substr(0, 16) << "…\n";
    std::cout << "Copied " << report.rows << " rows of " << report.tables.size() << " tables from " << report.from << " to " << report.to
              << "; read back, and every table is the same.\n"
                 "The old store is closed: no server starts on it any more. Name the new one in [store] url, then start the server.\n";
}

/// The source is what the server would use, the target stands on the command line.
core::Result<CopyOptions> settle(const Options& o) {
    auto from = settle_store(o);
    if (!from) return from.error();
    CopyOptions out;
    out.from = std::move(*from);
    out.to = out.from;
    out.to.store_password_file.clear();
    if (const auto r = set_store("--to", o.to, o.to_password_file, out.to); !r) return r.error();
    out.watch = show;
    return out;
}

int run_copy(const Options& o) {
    const auto options = settle(o);
    if (!options) {
        std::cerr << "postern: " << options.error().detail << "\n";
        return 2;
    }
    const auto report = copy_store(*options);
    if (::isatty(STDERR_FILENO) != 0) std::cerr << "\r\x1b[K" << std::flush;
    if (o.json)
        print_json(report);
    else
        print(report);
    return 0;
}

}  // namespace

void add_copy(CLI::App& app, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("copy", "Carry a stopped installation from one store to another, every row verified");
    add_store(*verb, *o);
    verb->add_option("--from", o->store, "Store to copy: sqlite:PATH or postgres://USER@HOST/DATABASE (default: what the server uses)");
    verb->add_option("--to", o->to, "Empty store to copy into: sqlite:PATH or postgres://USER@HOST/DATABASE")->required();
    verb->add_option("--to-password-file", o->to_password_file, "File (0600) with the password of --to")->check(CLI::ExistingFile);
    verb->add_flag("--json", o->json, "Print JSON");
    verb->callback([o, &run] { run = [o] { return run_copy(*o); }; });
}

}  // namespace postern::app::verbs
