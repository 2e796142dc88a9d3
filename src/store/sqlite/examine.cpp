#include "store/sqlite/examine.hpp"

#include <filesystem>
#include <stdexcept>

#include "core/observe/metrics.hpp"
#include "store/migrations.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/readers.hpp"

namespace postern::store {

namespace {

constexpr Statement quick{"quick_check", "PRAGMA quick_check(20)"};
constexpr Statement whole{"integrity_check", "PRAGMA integrity_check(20)"};
constexpr Statement keys{"foreign_key_check", "PRAGMA foreign_key_check"};
constexpr Statement journal{"journal_mode", "PRAGMA journal_mode"};

class ReadOnly final : public Database {
public:
    explicit ReadOnly(const std::string& path) : readers_(path, 0, unseen_.gauge("postern_store_cache_bytes", "Nobody scrapes an examination")) {}
    core::Task<Rows> read(const Statement& statement, Values parameters) override { co_return readers_.read(statement, parameters); }
    core::Task<Written> write(Batch) override { throw std::logic_error("store: a database that is only examined is written to"); }
    void close() override { readers_.close(); }
    [[nodiscard]] std::string trouble() const override { return {}; }
    [[nodiscard]] std::string_view engine() const noexcept override { return "sqlite"; }

private:
    observe::Metrics unseen_;
    sqlite::Readers readers_;
};

}  // namespace

struct SqliteExamination::Impl {
    Impl(const std::string& path, bool in_use)
        : connection(path, in_use ? sqlite::Connection::Access::read_only : sqlite::Connection::Access::read_write), database(path) {}
    sqlite::Connection connection;  // ends last: only one that may write takes the log away
    ReadOnly database;
    SchemaState schema;
};

namespace {

/// `look` at a file that may be anything.
template <class Look>
auto with_words(const std::string& path, Look look) {
    try {
        return look();
    } catch (const std::logic_error& e) {
        throw std::runtime_error(path + " cannot be read: " + e.what());
    } catch (const sqlite::Fault& fault) {
        if ((fault.code() & 0xff) != SQLITE_NOTADB) throw;
        throw std::runtime_error(path + " is no SQLite database; name another file");
    }
}

SchemaState own_schema(sqlite::Connection& connection, const std::string& path) {
    sqlite::check_owner(connection, path);
    return sqlite::schema_of(connection, path, sqlite_migrations());
}

}  // namespace

SqliteExamination::SqliteExamination(const std::string& path, bool server_has_it) {
    with_words(path, [&] {
        impl_ = std::make_unique<Impl>(path, server_has_it);
        impl_->schema = own_schema(impl_->connection, path);
    });
}
SqliteExamination::~SqliteExamination() {
    if (impl_) impl_->database.close();
}

SqliteState SqliteExamination::look(bool thorough) {
    SqliteState out;
    Rows rows;
    // Where a page is beyond reading, the check itself gives up.
    try {
        impl_->connection.run(thorough ? whole : quick, {}, &rows);
        out.orphans = impl_->connection.run(keys, {}).rows;
    } catch (const sqlite::Fault& fault) {
        out.damage.emplace_back(fault.what());
    }
    for (const auto& row : rows)
        if (row.text(0) != "ok") out.damage.push_back(row.text(0));
    Rows mode;
    impl_->connection.run(journal, {}, &mode);
    out.journal_mode = mode.at(0).text(0);
    return out;
}

Database& SqliteExamination::database() noexcept { return impl_->database; }

const SchemaState& SqliteExamination::schema() const noexcept { return impl_->schema; }

SchemaState sqlite_schema(const std::string& path, bool server_has_it) {
    if (!std::filesystem::exists(path)) {
        SchemaState none;
        none.known = sqlite_migrations();
        return none;
    }
    return with_words(path, [&] {
        sqlite::Connection connection(path, server_has_it ? sqlite::Connection::Access::read_only : sqlite::Connection::Access::read_write);
        return own_schema(connection, path);
    });
}

}  // namespace postern::store
