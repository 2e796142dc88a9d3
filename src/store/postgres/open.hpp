#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"
#include "store/migrations.hpp"

namespace postern::store {

/// What becomes of a schema that lacks migrations.
enum class MissingMigrations { apply, refuse };

/// What an operator should hear of: a stable snake_case event (store_connection_lost,
/// store_connected, store_fsync_off) and words without secrets. Called on the adapter's threads.
using StoreNotice = std::function<void(std::string_view event, const std::string& what)>;

struct PostgresSettings {
    PostgresSettings() = default;
    /// libpq's, with everything it knows: several hosts, sslmode=verify-full, sslrootcert, passfile …
    /// The session is always read-write, whatever target_session_attrs says.
    std::string url;
    int connections = 16;  ///< of this node; 8 to 32 are sensible, 2 the least
    /// Database::use_shards() comes: until then a few connections do.
    bool for_shards = false;
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(5);   ///< for each host of the URL
    std::chrono::milliseconds statement_timeout = std::chrono::seconds(5);  ///< one statement, lock waits included
    std::chrono::milliseconds wait = std::chrono::seconds(2);  ///< of a call for a connection that is free
    std::size_t queue = 4096;                                  ///< calls that wait for one; more are refused at once
    MissingMigrations missing = MissingMigrations::apply;
    StoreNotice notice;
};

/// The networked engine. Applies missing migrations under an advisory lock unless told otherwise;
/// several nodes may start at once. Throws StoreUnavailable where no server lets it in as one that may write,
/// std::runtime_error with what to do for the rest: a URL that is none, a newer schema,
/// a changed migration, another program's database, a missing right, migrations that are missing and not
/// to be applied. No message shows a password.
std::unique_ptr<Database> open_postgres(const PostgresSettings& settings, const core::Clock& clock,
                                        observe::Metrics& metrics);
/// With a schema of its own: for tests.
std::unique_ptr<Database> open_postgres(const PostgresSettings& settings, const core::Clock& clock,
                                        observe::Metrics& metrics, std::span<const Migration> migrations);

/// File names of the migrations that the database lacks, in order ("V0003__acme.sql"); changes nothing.
/// Throws as open_postgres does.
std::vector<std::string> missing_postgres_migrations(const PostgresSettings& settings);

/// The URL for people: user, hosts and database, never the password or another option. Throws
/// std::runtime_error for a URL that is none.
std::string describe_postgres(const std::string& url);

}  // namespace postern::store
