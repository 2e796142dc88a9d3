#include <filesystem>
#include <iostream>

#include "app/serve.hpp"
#include "app/verbs/verbs.hpp"

namespace postern::app::verbs {

namespace {

struct Options {
    Options() = default;
    Config config;
    std::string config_file, https, est, http, management;
    std::vector<std::string> resolve;
};

core::Result<void> set_address(const std::string& text, const char* option, Address& into) {
    if (text.empty()) return {};
    const auto address = Address::parse(text);
    if (!address) return core::Problem(core::ProblemKind::malformed, std::string(option) + ": " + address.error().detail);
    into = *address;
    return {};
}

/// The file first, then what the command line says over it.
core::Result<Config> settle(Options o) {
    const auto line = o.config;
    if (!o.config_file.empty())
        if (const auto r = read_config_file(o.config_file, o.config); !r) return r.error();
    auto& c = o.config;
    if (!line.store_url.empty()) c.store_url = line.store_url;
    if (const auto r = set_address(o.https, "--https", c.https); !r) return r.error();
    if (const auto r = set_address(o.est, "--est", c.est); !r) return r.error();
    if (const auto r = set_address(o.http, "--http", c.http); !r) return r.error();
    if (const auto r = set_address(o.management, "--management", c.management); !r) return r.error();
    const auto lab_only = [&](std::string_view option) {
        return core::Problem(core::ProblemKind::malformed, std::string(option) + " is for laboratories; add --lab");
    };
    if (!c.lab && c.http_01_port != 80) return lab_only("--http01-port");
    if (!c.lab && !o.resolve.empty()) return lab_only("--resolve");
    for (const auto& entry : o.resolve) {
        const auto equals = entry.find('=');
        if (equals == std::string::npos || crypto::canonical_ip(entry.substr(equals + 1)).empty())
            return core::Problem(core::ProblemKind::malformed, "--resolve " + entry + ": expected NAME=ADDRESS or *.SUFFIX=ADDRESS");
        c.dns.static_hosts.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    c.data = std::filesystem::absolute(c.data).lexically_normal().string();
    if (!c.ready_file.empty()) c.ready_file = std::filesystem::absolute(c.ready_file).string();
    return c;
}

}  // namespace

void add_serve(CLI::App& app, Run& run, ra::Senders senders) {
    auto o = std::make_shared<Options>();
    o->config.data = "postern-data";
    auto* verb = app.add_subcommand("serve", "Run the server; with nothing configured, make a private CA and a default endpoint first");
    verb->add_option("--data", o->config.data, "Data folder, made when missing")->capture_default_str();
    verb->add_option("--config", o->config_file, "postern.toml");
    verb->add_option("--https", o->https, "ACME, REST: HOST:PORT, port 0 for a free one that is kept (default 0.0.0.0:8443)");
    verb->add_option("--est", o->est, "REST with client certificates: HOST:PORT (default 0.0.0.0:8444)");
    verb->add_option("--http", o->http, "CRLs and CA certificates: HOST:PORT (default 0.0.0.0:8080)");
    verb->add_option("--management", o->management, "Health and metrics: HOST:PORT (default 127.0.0.1:9443)");
    verb->add_option("--store", o->config.store_url, "Store: sqlite:PATH (default sqlite:postern.db in the data folder)");
    verb->add_option("--ready-file", o->config.ready_file, "Written as JSON once every listener accepts");
    verb->add_flag("--lab", o->config.lab, "Laboratory: loopback and private validation targets, open default endpoint");
    verb->add_option("--http01-port", o->config.http_01_port, "Laboratory: port that http-01 asks instead of 80");
    verb->add_option("--resolve", o->resolve, "Laboratory: NAME-OR-*.SUFFIX=ADDRESS, answered without DNS; repeatable");
    verb->callback([o, &run, senders = std::move(senders)] {
        run = [o, senders] {
            auto config = settle(*o);
            if (!config) {
                std::cerr << "postern: " << config.error().detail << "\n";
                return 2;
            }
            return serve(std::move(*config), senders);
        };
    });
}

}  // namespace postern::app::verbs
