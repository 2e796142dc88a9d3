#include "store/postgres/bulk.hpp"

#include <charconv>
#include <map>
#include <stdexcept>

#include "store/postgres/copy_format.hpp"
#include "store/postgres/session.hpp"

namespace postern::store {

namespace {

using postgres::Result;

// What is UNLOGGED ends with the server's life, so it stays behind as well.
constexpr const char* columns_of_tables =
    "SELECT c.relname, a.attname, t.typname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' "
    "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname COLLATE \"C\", a.attname COLLATE \"C\"";
constexpr const char* references_of_tables =
    "SELECT DISTINCT f.relname, t.relname FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid "
    "WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace";
constexpr const char* others =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name LIKE 'postern%' AND application_name <> 'postern verb'";

BulkColumn::Kind kind_of(const std::string& table, const std::string& column, const std::string& type) {
    if (type == "int8") return BulkColumn::Kind::integer;
    if (type == "bool") return BulkColumn::Kind::boolean;
    if (type == "text") return BulkColumn::Kind::text;
    if (type == "bytea") return BulkColumn::Kind::blob;
    throw std::runtime_error("column " + column + " of table " + table + " has the type " + type + ", which cannot be copied");
}

std::string with_columns(const BulkTable& table) {
    std::string out;
    for (const auto& column : table.columns) out += (out.empty() ? "\"" : ", \"") + column.name + "\"";
    return "\"" + table.name + "\" (" + out + ")";
}

class PostgresBulk final : public Bulk {
public:
    PostgresBulk(const PostgresSettings& settings, bool writes) : session_(settings) {
        // One flush at the end makes all of it durable, since the log is written in order.
        session_.run(writes ? "SET synchronous_commit = off" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    }

    std::vector<BulkTable> tables() override {
        std::map<std::string, BulkTable> found;
        for (const auto& row : session_.run(columns_of_tables)) {
            if (stays_behind(row[0])) continue;
            auto& table = found.try_emplace(row[0], row[0], std::vector<BulkColumn>()).first->second;
            table.columns.emplace_back(row[1], kind_of(row[0], row[1], row[2]));
        }
        std::map<std::string, std::vector<std::string>> to;
        for (const auto& [name, table] : found) to[name];
        for (const auto& row : session_.run(references_of_tables))
            if (found.contains(row[0])) to[row[0]].push_back(row[1]);
        std::vector<BulkTable> out;
        for (const auto& name : referred_first({to.begin(), to.end()})) out.push_back(found.at(name));
        return out;
    }

    std::int64_t other_clients() override {
        // Within a transaction the view stays as it was first seen.
        session_.run("SELECT pg_stat_clear_snapshot()");
        return number(others);
    }

    std::int64_t count(const BulkTable& table) override { return number("SELECT count(*) FROM \"" + table.name + "\""); }

    void read(const BulkTable& table, const Each& each) override {
        const Result begun(PQexec(session_.handle(), ("COPY " + with_columns(table) + " TO STDOUT (FORMAT binary)").c_str()));
        if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) session_.refuse(begun.get(), "reading table " + table.name);
        postgres::CopyReader reader(table);
        Values values;
        std::exception_ptr failure;
        for (;;) {
            char* octets = nullptr;
            const int length = PQgetCopyData(session_.handle(), &octets, 0);
            if (length < 0) break;
            const std::unique_ptr<char, void (*)(void*)> held(octets, &PQfreemem);
            // What was begun is read to its end, so that the connection stays of use.
            if (failure) continue;
            try {
                if (reader.take({octets, static_cast<std::size_t>(length)}, values)) each(values);
            } catch (...) {
                failure = std::current_exception();
            }
        }
        end_copy("reading table " + table.name);
        if (failure) std::rethrow_exception(failure);
    }

    void write(const BulkTable& table, const std::vector<Values>& rows) override {
        postgres::CopyWriter writer;
        for (const auto& row : rows) writer.add(row);
        const auto octets = writer.finish();
        const auto what = "writing table " + table.name;
        const Result begun(PQexec(session_.handle(), ("COPY " + with_columns(table) + " FROM STDIN (FORMAT binary)").c_str()));
        if (PQresultStatus(begun.get()) != PGRES_COPY_IN) session_.refuse(begun.get(), what);
        if (PQputCopyData(session_.handle(), octets.data(), static_cast<int>(octets.size())) != 1 || PQputCopyEnd(session_.handle(), nullptr) != 1)
            session_.refuse(nullptr, what);
        end_copy(what);
    }

    void clear(const std::vector<BulkTable>& tables) override {
        std::string list;
        for (const auto& table : tables)
            if (table.name != "setting") list += (list.empty() ? "\"" : ", \"") + table.name + "\"";
        session_.run("BEGIN; TRUNCATE " + list + "; DELETE FROM setting WHERE substr(name, 1, 5) <> '" + std::string(copy_marks) + "'; COMMIT");
    }

    void finish() override {
        // References were checked as rows came. Without statistics the first queries would read whole tables.
        std::string list;
        for (const auto& table : tables()) list += (list.empty() ? "\"" : ", \"") + table.name + "\"";
        session_.run("ANALYZE " + list);
        session_.run("SET synchronous_commit = on");
        session_.run("UPDATE setting SET value = value WHERE name = '" + std::string(copy_unfinished) + "'");
    }

private:
    std::int64_t number(const std::string& sql) {
        const auto text = session_.run(sql).at(0).at(0);
        std::int64_t out = 0;
        std::from_chars(text.data(), text.data() + text.size(), out);
        return out;
    }

    void end_copy(const std::string& what) {
        Result last;
        for (Result next(PQgetResult(session_.handle())); next; next.reset(PQgetResult(session_.handle())))
            if (!last || PQresultStatus(last.get()) == PGRES_COMMAND_OK) last = std::move(next);
        if (!last || PQresultStatus(last.get()) != PGRES_COMMAND_OK) session_.refuse(last.get(), what);
    }

    postgres::Session session_;
};

}  // namespace

std::unique_ptr<Bulk> open_postgres_bulk(const PostgresSettings& settings, bool writes) { return std::make_unique<PostgresBulk>(settings, writes); }

}  // namespace postern::store
