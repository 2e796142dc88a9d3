#include "store/postgres/migrate.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <thread>

#include "store/postgres/fault.hpp"
#include "store/postgres/target.hpp"

namespace postern::store::postgres {

namespace {

/// Any number that no other program is likely to lock: "Postern" in ASCII.
constexpr const char* lock_key = "22641380567380334";
constexpr std::chrono::seconds lock_deadline(60);
/// A migration that goes through a large table takes its time.
constexpr std::chrono::hours step_deadline(4);
constexpr std::chrono::seconds question_deadline(15);

/// The adapter's own: the record of migrations, what holds an expectation, and what tells whether a batch
/// was committed. Recorded as number 0, which also says whose schema this is.
constexpr Migration foundation{0, "postgres", R"sql(
CREATE TABLE schema_migration (
    number     BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_ms BIGINT NOT NULL
);

-- A batch is one implicit transaction; this ends it where a step did not meet exactly one row.
CREATE FUNCTION expect_one(met BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    IF met <> 1 THEN
        RAISE EXCEPTION 'a step met % rows where one was expected', met USING ERRCODE = 'PE001';
    END IF;
    RETURN TRUE;
END
$$;

-- Each batch inserts a row of its own. Where the connection breaks before the answer, whoever inserts the
-- same row learns whether the batch was committed, and keeps it from being committed later.
CREATE TABLE write_mark (
    session BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    made    TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (session, number)
);
)sql"};

constexpr const char* add_readers = "ALTER TABLE schema_migration ADD COLUMN readable_by BIGINT";

bool refused(const Result& result) noexcept { return PQresultStatus(result.get()) == PGRES_FATAL_ERROR; }

/// Throws for a refusal.
Result ask(PGconn* connection, const std::string& place, const std::string& sql, const std::vector<std::string>& parameters = {},
           std::chrono::milliseconds within = question_deadline) {
    Result result = query(connection, sql, parameters, core::deadline_in(within), {});
    if (!refused(result)) return result;
    const Refusal refusal(result.get());
    if (refusal.sqlstate == "42501") {
        throw std::runtime_error(place + ": " + refusal.message + "; its tables must belong to the role that Postern connects as, "
                                         "and that role needs USAGE and CREATE on the schema (GRANT USAGE, CREATE ON SCHEMA …), "
                                         "which PostgreSQL 15 gives to the database's owner alone");
    }
    throw std::runtime_error(place + ": " + refusal.message + " (" + refusal.sqlstate + ")");
}

std::string text(const Result& result, int row = 0, int column = 0) { return PQgetvalue(result.get(), row, column); }

/// Rolls back unless kept.
class Transaction {
public:
    Transaction(PGconn* connection, const std::string& place) : connection_(connection), place_(place) { ask(connection_, place_, "BEGIN"); }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
        try {
            if (PQtransactionStatus(connection_) != PQTRANS_IDLE) ask(connection_, place_, "ROLLBACK");
        } catch (const std::exception&) {
            // The end of the connection rolls back as well.
        }
    }
    void keep() { ask(connection_, place_, "COMMIT"); }

private:
    PGconn* connection_;
    const std::string& place_;
};

/// Held by the session, so that its end gives it back.
class Lock {
public:
    Lock(PGconn* connection, const std::string& place) : connection_(connection), place_(place) {
        const auto deadline = core::deadline_in(lock_deadline);
        const std::string sql = std::string("SELECT pg_try_advisory_lock(") + lock_key + ")";
        while (text(ask(connection_, place_, sql)) != "t") {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error(place_ + ": another node has been migrating it for a minute; wait for it, or look for its "
                                                  "session in pg_locks");
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
        try {
            ask(connection_, place_, std::string("SELECT pg_advisory_unlock(") + lock_key + ")");
        } catch (const std::exception&) {
            // The connection is of no use any more, and its end gives the lock back.
        }
    }

private:
    PGconn* connection_;
    const std::string& place_;
};

/// What has to hold before a first look. True: the schema is Postern's; false: it is empty.
bool check_owner(PGconn* connection, const std::string& place) {
    const auto facts = ask(connection, place,
                           "SELECT current_setting('server_encoding'), coalesce(current_schema(), ''), "
                           "to_regclass('schema_migration') IS NOT NULL, (SELECT count(*) FROM pg_class c JOIN pg_namespace n "
                           "ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm'))");
    if (text(facts, 0, 0) != "UTF8") {
        throw std::runtime_error(place + " has the encoding " + text(facts, 0, 0) +
                                 "; create it anew: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
    }
    if (text(facts, 0, 1).empty()) {
        throw std::runtime_error(place + ": no schema of the role's search_path exists, or the role has no USAGE on it");
    }
    const bool recorded = text(facts, 0, 2) == "t";
    if (!recorded && text(facts, 0, 3) == "0") return false;
    if (recorded) {
        const Result ours = query(connection, "SELECT count(*) FROM schema_migration WHERE number = 0 AND name = 'postgres' AND checksum <> ''",
                                  {}, core::deadline_in(question_deadline), {});
        if (!refused(ours) && text(ours) == "1") return true;
        if (refused(ours) && Refusal(ours.get()).sqlstate == "42501") {
            throw std::runtime_error(place + " belongs to another role than the one Postern connects as; connect as the owner of its tables");
        }
    }
    throw std::runtime_error(place + " is another program's database; name another one, or a schema of its own by the role's search_path");
}

/// The record of migrations itself is not one of them: this column came with a later version.
bool says_readers(PGconn* connection, const std::string& place) {
    return text(ask(connection, place, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'schema_migration'::regclass AND attname = 'readable_by'")) == "1";
}

Rows applied(PGconn* connection, const std::string& place) {
    const std::string readers = says_readers(connection, place) ? "readable_by" : "NULL";
    const auto result = ask(connection, place, "SELECT number, name, checksum, " + readers + " FROM schema_migration WHERE number > 0 ORDER BY number");
    Rows rows;
    for (int i = 0; i < PQntuples(result.get()); ++i) {
        const std::int64_t number = std::stol(text(result, i, 0));
        const auto least = PQgetisnull(result.get(), i, 3) != 0 ? std::nullopt : std::optional<std::int64_t>(std::stol(text(result, i, 3)));
        rows.emplace_back(values(number, text(result, i, 1), text(result, i, 2), least));
    }
    return rows;
}

void apply(PGconn* connection, const std::string& place, const core::Clock& clock, const Migration& m) {
    const Result ran = query(connection, std::string(m.sql), {}, core::deadline_in(step_deadline), {});
    if (refused(ran)) {
        const Refusal refusal(ran.get());
        if (refusal.sqlstate == "42501") {
            throw std::runtime_error(place + ": " + refusal.message + "; the role that Postern connects as needs CREATE on the schema: "
                                             "make it the database's owner, or GRANT USAGE, CREATE ON SCHEMA … TO it");
        }
        throw_failed(m, place, refusal.message);
    }
    if (PQtransactionStatus(connection) != PQTRANS_INTRANS) throw_ended_transaction(m);
    if (m.number == foundation.number) ask(connection, place, add_readers);
    const auto least = readable_by(m);
    ask(connection, place, "INSERT INTO schema_migration (number, name, checksum, applied_ms, readable_by) VALUES ($1, $2, $3, $4, CAST(NULLIF($5, '') AS BIGINT))",
        {std::to_string(m.number), std::string(m.name), checksum(m), std::to_string(core::to_ms(clock.now())), least ? std::to_string(*least) : ""});
}

}  // namespace

void migrate(PGconn* connection, const std::string& place, const core::Clock& clock, std::span<const Migration> migrations) {
    check_numbered(migrations);
    // The role or the database may have set limits that are meant for requests.
    ask(connection, place, "SET statement_timeout = 0; SET lock_timeout = 0; SET client_min_messages = warning");
    const Lock lock(connection, place);
    // All or none: whoever looks meanwhile, another node that starts, finds no schema or a whole one.
    Transaction transaction(connection, place);
    if (!check_owner(connection, place)) apply(connection, place, clock, foundation);
    const Rows before = applied(connection, place);
    check_applied(before, place, migrations);
    // Only where something is applied: a role that serves may have no right to change tables.
    if (before.size() < migrations.size() && !says_readers(connection, place)) ask(connection, place, add_readers);
    for (std::size_t i = before.size(); i < migrations.size(); ++i) apply(connection, place, clock, migrations[i]);
    transaction.keep();
}

std::vector<std::string> missing(PGconn* connection, const std::string& place, std::span<const Migration> migrations) {
    check_numbered(migrations);
    std::vector<std::string> names;
    std::size_t there = 0;
    if (check_owner(connection, place)) {
        const Rows rows = applied(connection, place);
        check_applied(rows, place, migrations);
        there = rows.size();
    }
    for (const auto& m : migrations.subspan(std::min(there, migrations.size()))) names.push_back(file_name(m));
    return names;
}

}  // namespace postern::store::postgres
