#include "app/verbs/configuration.hpp"

#include <filesystem>

namespace postern::app::verbs {

namespace {

core::Result<void> set_address(const std::string& text, const char* option, Address& into) {
    if (text.empty()) return {};
    const auto address = Address::parse(text);
    if (!address) return core::Problem(core::ProblemKind::malformed, std::string(option) + ": " + address.error().detail);
    into = *address;
    return {};
}

}  // namespace

void add_configuration(CLI::App& verb, ConfigurationOptions& o) {
    verb.add_option("--config", o.config_file, "postern.toml");
    verb.add_option("--https", o.https, "ACME, REST: HOST:PORT, port 0 for a free one that is kept (default 0.0.0.0:8443)");
    verb.add_option("--est", o.est, "REST with client certificates: HOST:PORT (default 0.0.0.0:8444)");
    verb.add_option("--http", o.http, "CRLs and CA certificates: HOST:PORT (default 0.0.0.0:8080)");
    verb.add_option("--management", o.management, "Health and metrics: HOST:PORT (default 127.0.0.1:9443)");
    verb.add_option("--store", o.config.store_url, "Store: sqlite:PATH (default sqlite:postern.db in the data folder)");
    verb.add_flag("--lab", o.config.lab, "Laboratory: loopback and private validation targets, open default endpoint");
}

core::Result<Config> settle_configuration(ConfigurationOptions o, const std::string& store_from_line) {
    auto& c = o.config;
    if (!store_from_line.empty()) c.store_url = store_from_line;
    if (const auto r = set_address(o.https, "--https", c.https); !r) return r.error();
    if (const auto r = set_address(o.est, "--est", c.est); !r) return r.error();
    if (const auto r = set_address(o.http, "--http", c.http); !r) return r.error();
    if (const auto r = set_address(o.management, "--management", c.management); !r) return r.error();
    if (const auto r = check_store_url(c.store_url); !r) return r.error();
    c.data = std::filesystem::absolute(c.data).lexically_normal().string();
    return c;
}

}  // namespace postern::app::verbs
