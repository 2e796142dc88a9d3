#include "store/sqlite/migrate.hpp"

#include <cstdio>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::store::sqlite {

namespace {

constexpr std::int64_t application_id = 0x5053544e;  // "PSTN", in the file's header

constexpr Statement id_read{"application_id", "PRAGMA application_id"};
constexpr Statement tables_count{"tables_count", "SELECT count(*) FROM sqlite_master"};
constexpr Statement applied_read{"migration_read",
                                 "SELECT number, name, checksum FROM schema_migration ORDER BY number"};
constexpr Statement applied_insert{
    "migration_insert", "INSERT INTO schema_migration (number, name, checksum, applied_ms) VALUES ($1, $2, $3, $4)"};
constexpr Statement keys_check{"foreign_key_check", "PRAGMA foreign_key_check"};

std::int64_t number(Connection& connection, const Statement& statement) {
    Rows rows;
    connection.run(statement, {}, &rows);
    return rows.at(0).integer(0);
}

std::string file_name(const Migration& m) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "V%04d__", m.number);
    return digits + std::string(m.name) + ".sql";
}

std::string checksum(const Migration& m) { return core::hex(crypto::sha256(m.sql)); }

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

void check_applied(const Rows& applied, const std::string& path, std::span<const Migration> migrations) {
    if (applied.size() > migrations.size()) {
        throw std::runtime_error(path + " has schema " + std::to_string(applied.back().integer(0)) +
                                 ", this Postern knows schemas up to " + std::to_string(migrations.size()) +
                                 "; install the newer Postern, or restore the backup made before the upgrade");
    }
    for (std::size_t i = 0; i < applied.size(); ++i) {
        const Migration& known = migrations[i];
        if (applied[i].integer(0) != known.number) {
            throw std::runtime_error(path + " lacks " + file_name(known) +
                                     " before a later migration; restore a backup of the database");
        }
        if (applied[i].text(2) != checksum(known)) {
            throw std::runtime_error("migration " + file_name(known) + " differs from what was applied to " + path +
                                     "; restore its text, and put schema changes into a new migration");
        }
    }
}

void apply(Connection& connection, const std::string& path, const core::Clock& clock, const Migration& m) {
    try {
        connection.script(std::string(m.sql), file_name(m));
        connection.run(applied_insert, values(m.number, m.name, checksum(m), clock.now()));
    } catch (const std::logic_error& e) {
        throw std::runtime_error("migration " + file_name(m) + " failed on " + path +
                                 ", which is unchanged: " + e.what());
    }
    if (!connection.in_transaction()) {
        throw std::logic_error("migration " + file_name(m) + " ends its transaction itself");
    }
    if (connection.run(keys_check, {}).rows != 0) {
        throw std::runtime_error("migration " + file_name(m) + " leaves foreign keys without their rows in " + path +
                                 ", which is unchanged");
    }
}

/// False when nothing is left to do.
bool step(Connection& connection, const std::string& path, const core::Clock& clock,
          std::span<const Migration> migrations) {
    Transaction lock(connection, "BEGIN EXCLUSIVE");
    connection.script("PRAGMA application_id=" + std::to_string(application_id) +
                          "; CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, "
                          "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
                      "schema_migration");
    Rows applied;
    connection.run(applied_read, {}, &applied);
    check_applied(applied, path, migrations);
    if (applied.size() == migrations.size()) return false;
    apply(connection, path, clock, migrations[applied.size()]);
    lock.keep();
    return true;
}

}  // namespace

void check_owner(Connection& connection, const std::string& path) {
    // One snapshot: another opener may write the first schema between the two reads.
    const Transaction snapshot(connection, "BEGIN");
    const auto id = number(connection, id_read);
    if (id == application_id || (id == 0 && number(connection, tables_count) == 0)) return;
    throw std::runtime_error(path + " is another program's SQLite database; name another file");
}

int check_schema(Connection& connection, const std::string& path, std::span<const Migration> migrations) {
    Rows applied;
    connection.run(applied_read, {}, &applied);
    check_applied(applied, path, migrations);
    return applied.empty() ? 0 : static_cast<int>(applied.back().integer(0));
}

void migrate(Connection& connection, const std::string& path, const core::Clock& clock,
             std::span<const Migration> migrations) {
    for (std::size_t i = 0; i < migrations.size(); ++i) {
        if (migrations[i].number != static_cast<int>(i) + 1) {
            throw std::logic_error("migrations are not numbered 1, 2, 3 …: " + file_name(migrations[i]));
        }
    }
    // A migration that rebuilds a table drops the old one; keys are checked at its end instead.
    connection.script("PRAGMA foreign_keys=OFF", "migration");
    while (step(connection, path, clock, migrations)) {
    }
    connection.script("PRAGMA foreign_keys=ON", "migration");
}

}  // namespace postern::store::sqlite
