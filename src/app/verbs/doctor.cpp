#include "app/doctor/doctor.hpp"

#include <filesystem>
#include <iostream>

#include "app/place.hpp"
#include "app/verbs/configuration.hpp"
#include "app/verbs/verbs.hpp"
#include "core/json/escape.hpp"
#include "core/json/writer.hpp"
#include "core/toml/reader.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    ConfigurationOptions configuration;
    std::string name, least_free;
    bool quick = false, json = false;
};

/// The examination with what the command line and the file say; `malformed` for a command line that
/// cannot be used. A file that cannot is a finding.
core::Result<doctor::Options> settle(const Options& o) {
    auto configuration = o.configuration;
    doctor::Options out;
    auto& data = configuration.config.data;
    data = find_data(data);
    std::error_code none;
    if (!std::filesystem::is_directory(data, none))
        return core::Problem(core::ProblemKind::malformed, data + " is no data folder; name the one that `postern serve` uses with --data");
    try {
        require_entry(data);
        become_owner(data);  // it sees what the server sees, and leaves nothing of root's behind
    } catch (const std::runtime_error& e) {
        return core::Problem(core::ProblemKind::malformed, e.what());
    }
    // How a running server was started it knows best.
    out.running = doctor::ask_running(data);
    const bool named = !configuration.config_file.empty();
    out.config_file = !named && out.running ? out.running->config_file : find_config_file(configuration.config_file, data);
    if (!out.config_file.empty()) {
        auto from_file = configuration.config;
        if (const auto r = read_config_file(out.config_file, from_file); r)
            configuration.config = std::move(from_file);
        else
            out.config_problem = r.error().detail;
    }
    auto settled = settle_configuration(configuration, o.configuration.config.store_url);
    if (!settled) return settled.error();
    out.config = std::move(*settled);
    if (const auto& running = out.running) {
        auto& c = out.config;
        c.https = running->https;
        c.est = running->est;
        c.http = running->http;
        c.management = running->management;
        if (!running->store.empty()) c.store_url = running->store;
        c.lab = running->lab;
    }
    out.name = o.name;
    out.quick = o.quick;
    if (!o.least_free.empty()) {
        const auto table = toml::parse("size = \"" + json::printable(o.least_free) + "\"", "--least-free");
        const auto value = table ? table->find("size") : std::nullopt;
        const auto size = value ? value->size() : core::Result<std::size_t>(core::Problem(core::ProblemKind::malformed, {}));
        if (!size) return core::Problem(core::ProblemKind::malformed, "--least-free: expected a size such as \"512MiB\" or \"2GiB\"");
        out.least_free = *size;
    }
    return out;
}

void print_json(const doctor::Findings& findings) {
    json::Writer w;
    w.begin_object().key("findings").begin_array();
    for (const auto& f : findings.list()) {
        w.begin_object().member("check", f.check).member("verdict", doctor::to_string(f.verdict)).member("what", f.what);
        if (!f.advice.empty()) w.member("advice", f.advice);
        w.end_object();
    }
    w.end_array().member("failed", static_cast<std::int64_t>(findings.count(doctor::Verdict::failed))).end_object();
    std::cout << w.take() << "\n";
}

void print(const doctor::Findings& findings) {
    for (const auto& f : findings.list()) {
        std::cout << "[" << doctor::to_string(f.verdict) << "] " << f.check << ": " << json::printable(f.what) << "\n";
        if (!f.advice.empty() && f.verdict != doctor::Verdict::good) std::cout << "    do: " << json::printable(f.advice) << "\n";
    }
    const auto failed = findings.count(doctor::Verdict::failed);
    std::cout << (failed == 0 ? "All is well" : std::to_string(failed) + " of " + std::to_string(findings.list().size()) + " checks failed") << ".\n";
}

int examine(const Options& o) {
    const auto options = settle(o);
    if (!options) {
        std::cerr << "postern: " << json::printable(options.error().detail) << "\n";
        return 2;
    }
    const auto findings = doctor::examine(*options);
    if (o.json)
        print_json(findings);
    else
        print(findings);
    return findings.count(doctor::Verdict::failed) == 0 ? 0 : 1;
}

}  // namespace

void add_doctor(CLI::App& app, Run& run) {
    auto o = std::make_shared<Options>();
    auto* verb = app.add_subcommand("doctor", "Examine configuration, data folder, keys, CRLs, store and network; changes nothing");
    verb->add_option("--data", o->configuration.config.data, "Data folder of the server (default: postern-data here, else the package's)");
    add_configuration(*verb, o->configuration);
    verb->add_option("--name", o->name, "DNS name to ask the resolver for (default: the public host, or example.com)");
    verb->add_option("--least-free", o->least_free, "Free space that is enough (default 512MiB)");
    verb->add_flag("--quick", o->quick, "Leave the indexes of the database out");
    verb->add_flag("--json", o->json, "Print JSON");
    verb->callback([o, &run] { run = [o] { return examine(*o); }; });
}

}  // namespace postern::app::verbs
