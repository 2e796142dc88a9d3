#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "app/backup.hpp"
#include "app/verbs/verbs.hpp"
#include "core/json/writer.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    std::string target;
    bool with = false, without = false;
};

constexpr std::string_view route = "/api/postern/v1/backup";

std::int64_t mebibytes(const json::Value& octets) {
    const auto n = octets.integer();
    return n ? (*n + (1 << 20) - 1) >> 20 : 0;
}

/// On a terminal one line that is written over; nothing where nobody watches.
void show_progress(const json::Value& status, bool end) {
    if (::isatty(STDERR_FILENO) == 0) return;
    if (end)
        std::cerr << "\r\x1b[K";
    else
        std::cerr << "\rcopying the database: " << mebibytes(status["done"]) << " of " << mebibytes(status["total"]) << " MiB" << std::flush;
}

void print_report(const json::Value& report) {
    std::cout << "Backup " << text(report["backup"]) << "\n  made      " << text(report["created"]) << " by Postern " << text(report["postern"])
              << "\n  contents  " << report["files"].integer().value() << " files, " << report["bytes"].integer().value() << " octets, schema "
              << report["schema"].integer().value() << ", read back and checked\n";
    if (truth(report["masterKey"]))
        std::cout << "  The master key is INSIDE: whoever reads this folder has the CA. Keep it like the CA itself.\n";
    else
        std::cout << "  The master key is NOT inside: keep a copy of it elsewhere, without it this backup cannot be restored.\n";
}

/// Waits for the end of what POST began.
int follow(const Common& common, Door& door) {
    for (;;) {
        const auto answer = door.ask(make_request(http::Method::get, std::string(route)));
        if (const int failed = report(answer)) return failed;
        const auto document = json::Document::parse(answer.body);
        if (!document) throw std::runtime_error("the server's answer is no JSON");
        const auto status = document->root();
        const auto state = text(status["state"]);
        if (state == "running") {
            show_progress(status, false);
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        show_progress(status, true);
        if (state != "done") {
            const auto why = text(status["description"]);
            std::cerr << "postern: " << (why.empty() ? "the server was restarted; make the backup again" : why) << "\n";
            return 1;
        }
        if (common.json)
            std::cout << answer.body << "\n";
        else
            print_report(status["report"]);
        return 0;
    }
}

int backup(const Common& common, const Options& o) {
    if (!common.door.server.empty()) throw std::runtime_error("backup works on the server's own machine only; run it there, with --data");
    auto target = std::filesystem::absolute(o.target).lexically_normal().string();
    while (target.size() > 1 && target.ends_with('/')) target.pop_back();
    json::Writer w;
    // The server may live in another view of the disk, with a /tmp of its own.
    w.begin_object().member("target", target).member("parentSeen", place_of(std::filesystem::path(target).parent_path().string()));
    if (o.with || o.without) w.member("masterKey", o.with);
    w.end_object();
    const auto door = Door::open(common.door);
    const auto begun = door->ask(make_request(http::Method::post, std::string(route), w.take()));
    if (const int failed = report(begun)) return failed;
    return follow(common, *door);
}

}  // namespace

void add_backup(CLI::App& app, Common& common, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("backup", "Copy database, keys and certificates into a new folder, while the server runs or not");
    add_common(*verb, common);
    verb->add_option("FOLDER", o->target, "Made by this; must not exist yet")->required();
    auto* with = verb->add_flag("--with-master-key", o->with, "Put the master key inside (the default when it is kept in the data folder)");
    verb->add_flag("--without-master-key", o->without, "Leave the master key out (the default when [secrets] master_key_file names it)")->excludes(with);
    verb->callback([o, &common, &run] { run = [o, &common] { return backup(common, *o); }; });
}

}  // namespace postern::app::verbs
