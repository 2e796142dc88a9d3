#include "app/store.hpp"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include "app/data_folder.hpp"
#include "core/base/encoding.hpp"
#include "store/postgres/bulk.hpp"
#include "store/postgres/schema.hpp"
#include "store/sqlite/bulk.hpp"
#include "store/sqlite/examine.hpp"
#include "store/sqlite/open.hpp"

namespace postern::app {

namespace {

/// Every octet but letters and digits.
std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<std::uint8_t>(c);
        const bool plain = (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
        out += plain ? std::string(1, c) : "%" + core::hex({&octet, 1});
    }
    return out;
}

/// The URL with the password of `store_password_file`, as libpq takes it. Not for people.
std::string url_with_password(const Config& config) {
    if (config.store_password_file.empty()) return config.store_url;
    require_private(config.store_password_file);
    auto password = read_file(config.store_password_file);
    while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
    if (password.empty()) throw std::runtime_error(config.store_password_file + " holds no password");
    const bool has_options = config.store_url.find('?') != std::string::npos;
    return config.store_url + (has_options ? "&" : "?") + "password=" + percent_encoded(password);
}

}  // namespace

store::PostgresSettings postgres_settings(const Config& config) {
    store::PostgresSettings out;
    out.url = url_with_password(config);
    out.connections = static_cast<int>(config.store_connections);
    out.connect_deadline = config.store_connect_timeout;
    out.statement_timeout = config.store_statement_timeout;
    return out;
}

std::string shown_store(const Config& config) {
    return is_postgres(config) ? store::describe_postgres(config.store_url) : "sqlite:" + store_path(config);
}

store::SchemaState look_at_schema(const Config& config, bool server_has_it) {
    return is_postgres(config) ? store::postgres_schema(postgres_settings(config)) : store::sqlite_schema(store_path(config), server_has_it);
}

void refuse_missing_migrations(const Config& config, const store::SchemaState& schema) {
    if (schema.applied.empty() || schema.missing().empty()) return;
    throw std::runtime_error(shown_store(config) + " lacks the migration " + store::file_name(schema.missing().front()) +
                             (schema.missing().size() > 1 ? " and " + std::to_string(schema.missing().size() - 1) + " more" : "") +
                             ": it was made by an older Postern. Make a backup, then run `postern migrate` with the same --data and --config "
                             "(`postern migrate --plan` shows what it would do), or start with `postern serve --migrate`");
}

std::unique_ptr<store::Database> open_store(const Config& config, const core::Clock& clock, observe::Metrics& metrics, StoreUse use) {
    if (!is_postgres(config)) return store::open_sqlite(store_path(config), clock, metrics, std::move(use.disk_failed));
    auto settings = postgres_settings(config);
    settings.notice = std::move(use.notice);
    settings.for_shards = use.for_shards;
    return store::open_postgres(settings, clock, metrics);
}

void require_alone(const Config& config) {
    if (!is_postgres(config) && !std::filesystem::exists(store_path(config))) return;
    const auto bulk = open_bulk(config, false);
    // A connection that was just closed is counted for a moment.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    auto others = bulk->other_clients();
    while (is_postgres(config) && others > 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        others = bulk->other_clients();
    }
    if (others > 0)
        throw std::runtime_error(std::to_string(others) + (is_postgres(config) ? " connections of running Posterns are open to " : " other Posterns work on ") + shown_store(config) +
                                 "; stop every node that uses it first");
}

std::unique_ptr<store::Bulk> open_bulk(const Config& config, bool writes) {
    if (!is_postgres(config)) return store::open_sqlite_bulk(store_path(config), writes);
    return store::open_postgres_bulk(postgres_settings(config), writes);
}

}  // namespace postern::app
