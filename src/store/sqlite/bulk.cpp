#include "store/sqlite/bulk.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <stdexcept>
#include <thread>

#include "store/nodes.hpp"
#include "store/sqlite/connection.hpp"

namespace postern::store {

namespace {

using sqlite::Connection;

constexpr std::string_view names_of_tables =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";

BulkColumn::Kind kind_of(const std::string& table, const std::string& column, const std::string& declared) {
    if (declared == "BIGINT" || declared == "INTEGER") return BulkColumn::Kind::integer;
    if (declared == "BOOLEAN") return BulkColumn::Kind::boolean;
    if (declared == "TEXT") return BulkColumn::Kind::text;
    if (declared == "BLOB") return BulkColumn::Kind::blob;
    throw std::runtime_error("column " + column + " of table " + table + " has the type " + declared + ", which cannot be copied");
}

std::string column_list(const BulkTable& table) {
    std::string out;
    for (const auto& column : table.columns) out += (out.empty() ? "\"" : ", \"") + column.name + "\"";
    return out;
}

/// SQLite keeps what it was given: a value of another kind than its column's is told rather than bent.
void make_kind(const BulkTable& table, const BulkColumn& column, Value& value) {
    if (std::holds_alternative<std::monostate>(value)) return;
    if (column.kind == BulkColumn::Kind::boolean)
        if (const auto* i = std::get_if<std::int64_t>(&value); i != nullptr && (*i == 0 || *i == 1)) value = *i == 1;
    const bool good = (column.kind == BulkColumn::Kind::integer && std::holds_alternative<std::int64_t>(value)) ||
                      (column.kind == BulkColumn::Kind::boolean && std::holds_alternative<bool>(value)) ||
                      (column.kind == BulkColumn::Kind::text && std::holds_alternative<std::string>(value)) ||
                      (column.kind == BulkColumn::Kind::blob && std::holds_alternative<core::Bytes>(value));
    if (!good) throw std::runtime_error("table " + table.name + " holds a value that is no " + std::string(to_string(column.kind)) + " in column " + column.name);
}

class SqliteBulk final : public Bulk {
public:
    SqliteBulk(const std::string& path, bool writes)
        : writes_(writes), connection_(path, writes ? Connection::Access::read_write : Connection::Access::read_only) {
        // Checked as a whole by finish(): rows come table by table.
        connection_.script(writes ? "PRAGMA foreign_keys=OFF" : "BEGIN", "bulk");
    }

    std::vector<BulkTable> tables() override {
        std::vector<std::pair<std::string, std::vector<std::string>>> references;
        std::map<std::string, BulkTable> found;
        std::vector<std::string> names;
        connection_.each(std::string(names_of_tables), [&](const Values& row) {
            if (auto& name = std::get<std::string>(row[0]); !stays_behind(name)) names.push_back(name);
        });
        for (const auto& name : names) {
            BulkTable table(name, {});
            connection_.each("SELECT name, type FROM pragma_table_info('" + name + "') ORDER BY name", [&](const Values& row) {
                const auto& column = std::get<std::string>(row[0]);
                table.columns.emplace_back(column, kind_of(name, column, std::get<std::string>(row[1])));
            });
            std::vector<std::string> to;
            connection_.each("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list('" + name + "')",
                             [&](const Values& row) { to.push_back(std::get<std::string>(row[0])); });
            references.emplace_back(name, std::move(to));
            found.emplace(name, std::move(table));
        }
        std::vector<BulkTable> out;
        for (const auto& name : referred_first(references)) out.push_back(found.at(name));
        return out;
    }

    /// The lock of the data folder keeps out the server of a file that is not shared. Of those that share it, whoever
    /// raises a beat lives; what a crash left stands still.
    std::int64_t other_clients() override {
        const auto before = beats();
        if (before.empty()) return 0;
        std::this_thread::sleep_for(2 * NodeRegistry::beat_every + std::chrono::seconds(1));
        std::int64_t out = 0;
        for (const auto& [life, beat] : beats())
            if (const auto known = before.find(life); known == before.end() || known->second != beat) ++out;
        return out;
    }

    std::int64_t count(const BulkTable& table) override {
        std::int64_t out = 0;
        connection_.each("SELECT count(*) FROM \"" + table.name + "\"", [&](const Values& row) { out = std::get<std::int64_t>(row[0]); });
        return out;
    }

    void read(const BulkTable& table, const Each& each) override {
        Values values;
        connection_.each("SELECT " + column_list(table) + " FROM \"" + table.name + "\"", [&](const Values& row) {
            values = row;
            for (std::size_t i = 0; i < values.size(); ++i) make_kind(table, table.columns[i], values[i]);
            each(values);
        });
    }

    void write(const BulkTable& table, const std::vector<Values>& rows) override {
        const auto& statement = insert_into(table);
        connection_.script("BEGIN IMMEDIATE", "bulk");
        try {
            for (const auto& row : rows)
                if (connection_.run(statement, row).refusal) throw std::runtime_error("table " + table.name + " has two rows of one key");
            connection_.script("COMMIT", "bulk");
        } catch (...) {
            if (connection_.in_transaction()) connection_.script("ROLLBACK", "bulk");
            throw;
        }
    }

    void clear(const std::vector<BulkTable>& tables) override {
        std::string script = "BEGIN IMMEDIATE;";
        for (const auto& table : tables)
            script += "DELETE FROM \"" + table.name + "\"" + (table.name == "setting" ? " WHERE substr(name, 1, 5) <> '" + std::string(copy_marks) + "'" : "") + ";";
        connection_.script(script + "COMMIT", "bulk");
    }

    void finish() override {
        // synchronous=FULL: each commit is on the disk already.
        connection_.each("PRAGMA foreign_key_check", [](const Values& row) {
            throw std::runtime_error("a row of table " + std::get<std::string>(row[0]) + " refers to a row that is not there");
        });
        connection_.script("ANALYZE", "bulk");
        connection_.checkpoint();
    }

private:
    std::map<std::int64_t, std::int64_t> beats() {
        // A new snapshot.
        if (!writes_) connection_.script("COMMIT; BEGIN", "bulk");
        std::map<std::int64_t, std::int64_t> out;
        connection_.each("SELECT life, beat FROM node", [&](const Values& row) { out[std::get<std::int64_t>(row[0])] = std::get<std::int64_t>(row[1]); });
        return out;
    }

    /// Prepared forms are kept by the address of their text.
    const Statement& insert_into(const BulkTable& table) {
        if (const auto known = inserts_.find(table.name); known != inserts_.end()) return known->second;
        std::string values;
        for (std::size_t i = 1; i <= table.columns.size(); ++i) values += (i == 1 ? "$" : ", $") + std::to_string(i);
        texts_.push_back("INSERT INTO \"" + table.name + "\" (" + column_list(table) + ") VALUES (" + values + ")");
        return inserts_.emplace(table.name, Statement{"bulk_insert", texts_.back()}).first->second;
    }

    bool writes_;
    std::deque<std::string> texts_;
    std::map<std::string, Statement> inserts_;
    Connection connection_;
};

}  // namespace

std::unique_ptr<Bulk> open_sqlite_bulk(const std::string& path, bool writes) { return std::make_unique<SqliteBulk>(path, writes); }

}  // namespace postern::store
