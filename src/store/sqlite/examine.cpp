#include "store/sqlite/examine.hpp"

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
    int schema = 0;
};

SqliteExamination::SqliteExamination(const std::string& path, bool server_has_it) {
    try {
        impl_ = std::make_unique<Impl>(path, server_has_it);
        sqlite::check_owner(impl_->connection, path);
        impl_->schema = sqlite::schema_of(impl_->connection, path, sqlite_migrations());
    } catch (const std::logic_error& e) {
        throw std::runtime_error(path + " cannot be read: " + e.what());
    }
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
    out.schema = impl_->schema;
    out.known = static_cast<int>(sqlite_migrations().size());
    return out;
}

Database& SqliteExamination::database() noexcept { return impl_->database; }

}  // namespace postern::store
