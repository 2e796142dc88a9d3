#include "store/sqlite/migrate.hpp"

namespace postern::store::sqlite {

namespace {

constexpr std::int64_t application_id = 0x5053544e;  // "PSTN", in the file's header

constexpr Statement id_read{"application_id", "PRAGMA application_id"};
constexpr Statement tables_count{"tables_count", "SELECT count(*) FROM sqlite_master"};
constexpr Statement applied_read{"migration_read",
                                 "SELECT number, name, checksum, readable_by, applied_ms FROM schema_migration ORDER BY number"};
/// Before any version said who may read.
constexpr Statement applied_read_plain{"migration_read_plain",
                                       "SELECT number, name, checksum, NULL, applied_ms FROM schema_migration ORDER BY number"};
constexpr Statement readers_there{"readers_there", "SELECT count(*) FROM pragma_table_info('schema_migration') WHERE name = 'readable_by'"};
constexpr Statement applied_insert{
    "migration_insert", "INSERT INTO schema_migration (number, name, checksum, applied_ms, readable_by) VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement keys_check{"foreign_key_check", "PRAGMA foreign_key_check"};

std::int64_t number(Connection& connection, const Statement& statement) {
    Rows rows;
    connection.run(statement, {}, &rows);
    return rows.at(0).integer(0);
}

/// Rolls back unless kept.
class Transaction {
public:
    Transaction(Connection& connection, const char* begin) : connection_(connection) {
        connection_.script(begin, "migration lock");
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
        try {
            if (connection_.in_transaction()) connection_.script("ROLLBACK", "migration");
        } catch (const std::exception&) {
            // Closing the connection rolls back as well.
        }
    }
    void keep() { connection_.script("COMMIT", "migration"); }

private:
    Connection& connection_;
};

void apply(Connection& connection, const std::string& path, const core::Clock& clock, const Migration& m) {
    const auto said = readable_by(m);
    const auto least = said ? std::optional<std::int64_t>(*said) : std::nullopt;
    try {
        connection.script(std::string(m.sql), file_name(m));
        connection.run(applied_insert, values(m.number, m.name, checksum(m), clock.now(), least));
    } catch (const std::logic_error& e) {
        throw_failed(m, path, e.what());
    }
    if (!connection.in_transaction()) throw_ended_transaction(m);
    if (connection.run(keys_check, {}).rows != 0) {
        throw std::runtime_error("migration " + file_name(m) + " leaves foreign keys without their rows in " + path +
                                 ", which is unchanged");
    }
}

Rows read_applied(Connection& connection) {
    Rows applied;
    connection.run(number(connection, readers_there) == 0 ? applied_read_plain : applied_read, {}, &applied);
    return applied;
}

/// All that is missing or nothing: a database has no schema, or a whole one.
void apply_missing(Connection& connection, const std::string& path, const core::Clock& clock, std::span<const Migration> migrations) {
    Transaction lock(connection, "BEGIN EXCLUSIVE");
    connection.script("PRAGMA application_id=" + std::to_string(application_id) +
                          "; CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, "
                          "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
                      "schema_migration");
    const Rows applied = read_applied(connection);
    check_applied(applied, path, migrations);
    if (applied.size() >= migrations.size()) return;  // the file is left as it is
    // The record of migrations itself is not one of them: this column came with a later version.
    if (number(connection, readers_there) == 0) connection.script("ALTER TABLE schema_migration ADD COLUMN readable_by BIGINT", "schema_migration");
    for (const auto& m : migrations.subspan(applied.size())) apply(connection, path, clock, m);
    lock.keep();
}

}  // namespace

void check_owner(Connection& connection, const std::string& path) {
    // One snapshot: another opener may write the first schema between the two reads.
    const Transaction snapshot(connection, "BEGIN");
    const auto id = number(connection, id_read);
    if (id == application_id || (id == 0 && number(connection, tables_count) == 0)) return;
    throw std::runtime_error(path + " is another program's SQLite database; name another file");
}

SchemaState schema_of(Connection& connection, const std::string& path, std::span<const Migration> migrations) {
    static constexpr Statement there{"schema_there", "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migration'"};
    SchemaState out;
    out.known = migrations;
    if (number(connection, there) == 0) return out;
    const Rows applied = read_applied(connection);
    check_applied(applied, path, migrations);
    for (const auto& row : applied) out.applied.push_back(row.time(4));
    return out;
}

void migrate(Connection& connection, const std::string& path, const core::Clock& clock,
             std::span<const Migration> migrations) {
    check_numbered(migrations);
    // A migration that rebuilds a table drops the old one; keys are checked at its end instead.
    connection.script("PRAGMA foreign_keys=OFF", "migration");
    apply_missing(connection, path, clock, migrations);
    connection.script("PRAGMA foreign_keys=ON", "migration");
}

}  // namespace postern::store::sqlite
