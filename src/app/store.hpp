#pragma once
#include <functional>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "core/base/clock.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "store/bulk.hpp"
#include "store/database.hpp"
#include "store/postgres/open.hpp"
#include "store/schema.hpp"

/// Which engine [store] means: the one unit that opens either.
namespace postern::app {

/// The store as a person should read it: "sqlite:/…/postern.db", or a PostgreSQL URL without its password.
std::string shown_store(const Config& config);

/// What the store has of the schema; a file or a database that nobody used yet has none. Changes nothing.
/// `server_has_it`: another process serves on it. Throws std::runtime_error that says what to do.
store::SchemaState look_at_schema(const Config& config, bool server_has_it);
/// Throws std::runtime_error naming the first migration that is missing and what applies it, for a store that was used.
void refuse_missing_migrations(const Config& config, const store::SchemaState& schema);

/// What PostgreSQL's adapter needs of [store], the password of password_file included: not for people.
store::PostgresSettings postgres_settings(const Config& config);

/// Who hears of the store's faults: a disk that lost a write ends the process, the rest is told. And whether
/// Database::use_shards() may come.
struct StoreUse {
    StoreUse() = default;
    std::function<void(const std::string& why)> disk_failed;
    std::function<void(std::string_view event, const std::string& what)> notice;
    bool for_shards = false;
};

/// Opens it and applies whatever migrations are missing; ask look_at_schema() before.
std::unique_ptr<store::Database> open_store(const Config& config, const core::Clock& clock, observe::Metrics& metrics,
                                            StoreUse use = {});

/// Throws std::runtime_error when a server is connected to a PostgreSQL store, or one that shares an SQLite file lives.
/// That of a file that is not shared is kept out by the folder's lock.
void require_alone(const Config& config);

/// Its tables, whole. Nobody else may have it open.
std::unique_ptr<store::Bulk> open_bulk(const Config& config, bool writes);

}  // namespace postern::app
