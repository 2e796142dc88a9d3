#include "app/verbs/configuration.hpp"

#include <filesystem>

#include "app/place.hpp"

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
    verb.add_option("--store", o.config.store_url, "Store: sqlite:PATH or postgres://USER@HOST/DATABASE (default sqlite:postern.db in the data folder)");
    verb.add_flag("--lab", o.config.lab, "Laboratory: loopback and private validation targets, open default endpoint");
}

void add_store(CLI::App& verb, StoreOptions& o) {
    verb.add_option("--data", o.data, "Data folder of the server (default: postern-data here, else the package's)");
    verb.add_option("--config", o.config_file, "postern.toml of the server (default: the package's for its folder)")->check(CLI::ExistingFile);
    verb.add_option("--password-file", o.password_file, "File (0600) with the password of the store's role")->check(CLI::ExistingFile);
}

core::Result<Config> settle_store(const StoreOptions& o) {
    Config c;
    c.data = find_data(o.data);
    if (std::filesystem::is_directory(c.data)) {
        require_entry(c.data);
        become_owner(c.data);
    }
    c.config_file = find_config_file(o.config_file, c.data);
    if (!c.config_file.empty())
        if (const auto r = read_config_file(c.config_file, c); !r) return r.error();
    if (const auto r = set_store("--store", o.store, o.password_file, c); !r) return r.error();
    return c;
}

core::Result<Config> settle_configuration(ConfigurationOptions o, const std::string& store_from_line) {
    auto& c = o.config;
    if (const auto r = set_store("--store", store_from_line, "", c); !r) return r.error();
    if (const auto r = set_address(o.https, "--https", c.https); !r) return r.error();
    if (const auto r = set_address(o.est, "--est", c.est); !r) return r.error();
    if (const auto r = set_address(o.http, "--http", c.http); !r) return r.error();
    if (const auto r = set_address(o.management, "--management", c.management); !r) return r.error();
    if (const auto r = check_store_url(c.store_url); !r) return r.error();
    c.data = std::filesystem::absolute(c.data).lexically_normal().string();
    return c;
}

}  // namespace postern::app::verbs
