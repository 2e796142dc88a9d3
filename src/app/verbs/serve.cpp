#include <filesystem>
#include <iostream>

#include "app/serve.hpp"
#include "app/verbs/configuration.hpp"
#include "app/verbs/verbs.hpp"

namespace postern::app::verbs {

namespace {

struct Options : ConfigurationOptions {
    Options() = default;
    std::vector<std::string> resolve;
};

/// The file first, then what the command line says over it.
core::Result<Config> settle(Options o) {
    const auto store_from_line = o.config.store_url;
    if (!o.config_file.empty()) o.config.config_file = std::filesystem::absolute(o.config_file).string();
    if (!o.config_file.empty())
        if (const auto r = read_config_file(o.config_file, o.config); !r) return r.error();
    auto settled = settle_configuration(o, store_from_line);
    if (!settled) return settled;
    auto& c = *settled;
    const auto lab_only = [&](std::string_view option) {
        return core::Problem(core::ProblemKind::malformed, std::string(option) + " is for laboratories; add --lab");
    };
    if (!c.lab && c.http_01_port != 80) return lab_only("--http01-port");
    if (!c.lab && c.tls_alpn_01_port != 443) return lab_only("--tls-alpn01-port");
    if (!c.lab && !o.resolve.empty()) return lab_only("--resolve");
    if (c.http_01_port == 0) return core::Problem(core::ProblemKind::malformed, "--http01-port: expected 1 to 65535");
    if (c.tls_alpn_01_port == 0) return core::Problem(core::ProblemKind::malformed, "--tls-alpn01-port: expected 1 to 65535");
    for (const auto& entry : o.resolve) {
        const auto equals = entry.find('=');
        if (equals == std::string::npos || crypto::canonical_ip(entry.substr(equals + 1)).empty())
            return core::Problem(core::ProblemKind::malformed, "--resolve " + entry + ": expected NAME=ADDRESS or *.SUFFIX=ADDRESS");
        c.dns.static_hosts.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    if (!c.ready_file.empty()) c.ready_file = std::filesystem::absolute(c.ready_file).string();
    return settled;
}

}  // namespace

void add_serve(CLI::App& app, Run& run, ra::Senders senders) {
    auto o = std::make_shared<Options>();
    o->config.data = "postern-data";
    auto* verb = app.add_subcommand("serve", "Run the server; with nothing configured, make a private CA and a default endpoint first");
    verb->add_option("--data", o->config.data, "Data folder, made when missing")->capture_default_str();
    add_configuration(*verb, *o);
    verb->add_flag("--migrate", o->config.migrate, "Apply missing migrations first; without it, a server that lacks some does not start");
    verb->add_option("--ready-file", o->config.ready_file, "Written as JSON once every listener accepts");
    verb->add_option("--http01-port", o->config.http_01_port, "Laboratory: port that http-01 asks instead of 80");
    verb->add_option("--tls-alpn01-port", o->config.tls_alpn_01_port, "Laboratory: port that tls-alpn-01 asks instead of 443");
    verb->add_option("--resolve", o->resolve, "Laboratory: NAME-OR-*.SUFFIX=ADDRESS, answered without DNS; repeatable");
    verb->callback([o, &run, senders = std::move(senders)] {
        run = [o, senders] {
            auto config = settle(*o);
            if (!config) {
                std::cerr << "postern: " << config.error().detail << "\n";
                return 2;
            }
            return serve(std::move(*config), [o] { return settle(*o); }, senders);
        };
    });
}

}  // namespace postern::app::verbs
