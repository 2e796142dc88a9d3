#pragma once
#include <CLI/CLI.hpp>

#include "app/config.hpp"

namespace postern::app::verbs {

/// The options that say how a server runs, for verbs that need the same picture as `serve`.
struct ConfigurationOptions {
    ConfigurationOptions() = default;
    Config config;
    std::string config_file, https, est, http, management;
};

void add_configuration(CLI::App& verb, ConfigurationOptions& options);
/// Which store, for verbs that work on it themselves: --data, --config and --password-file; the verb adds the option
/// that names the store.
struct StoreOptions {
    StoreOptions() = default;
    std::string data, config_file, store, password_file;
};
void add_store(CLI::App& verb, StoreOptions& options);
/// The file, and the command line over it.
core::Result<Config> settle_store(const StoreOptions& options);
/// The command line over what `options.config` holds from the file by now.
core::Result<Config> settle_configuration(ConfigurationOptions options, const std::string& store_from_line);

}  // namespace postern::app::verbs
