#pragma once
#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/observe/metrics.hpp"
#include "store/database.hpp"

namespace postern::store::sqlite {

/// SQLite could not do it for a reason outside the statement: full, locked, broken.
class Fault : public StoreUnavailable {
public:
    Fault(const std::string& what, int extended_code) : StoreUnavailable(what), code_(extended_code) {}
    [[nodiscard]] int code() const noexcept { return code_; }
    /// An fsync failed. What is in the file from now on is uncertain: the kernel may have dropped dirty
    /// pages, and a later fsync would succeed without them. A write that was refused (no space, over
    /// quota, EIO) leaves nothing uncertain: its commit is rolled back, and the next one writes there again.
    [[nodiscard]] bool lost_write() const noexcept {
        return code_ == SQLITE_IOERR_FSYNC || code_ == SQLITE_IOERR_DIR_FSYNC;
    }

private:
    int code_;
};

/// One handle with its prepared statements. One thread at a time.
class Connection {
public:
    enum class Access { read_write, read_only };
    /// What a statement did: rows changed, or for a SELECT rows found.
    struct Ran {
        std::optional<Conflict::Kind> refusal;  ///< by a constraint; nothing else of Ran holds
        std::int64_t rows = 0;
    };

    /// Opens an existing file. Throws Fault.
    Connection(const std::string& path, Access access);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Runs a statement to its end; rows go to `rows` when it is given. Prepared forms are kept by
    /// the address of the statement's text. Throws Fault, or std::logic_error naming the statement
    /// for whatever the program did wrong.
    Ran run(const Statement& statement, const Values& parameters, Rows* rows = nullptr);
    /// BEGIN, COMMIT, SAVEPOINT and the like: done when it returns. Throws as run() does, and std::logic_error where a constraint
    /// refuses the COMMIT: then the transaction is still open and nothing of it is written.
    void control(const Statement& statement);
    /// Runs a SELECT without parameters and hands over one row after the other. Throws as run() does.
    void each(const std::string& select, const std::function<void(const Values&)>& row);
    /// Several statements without parameters. `what` names them in an error.
    void script(const std::string& sql, std::string_view what);

    [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(db_.get()) == 0; }
    /// Deferred foreign keys that are violated now and would fail the commit.
    [[nodiscard]] bool foreign_keys_open() const noexcept;
    /// Rows changed since it was opened, in transactions that were rolled back too.
    [[nodiscard]] std::int64_t changes() const noexcept { return sqlite3_total_changes64(db_.get()); }
    /// Frames in the write-ahead log after the last commit.
    [[nodiscard]] int wal_frames() const noexcept { return wal_frames_; }
    /// Brings the gauge up to date with the page cache's memory, which `cache_size` bounds.
    void count_cache(observe::Gauge gauge) noexcept;
    /// Moves what it can from the log to the file without waiting for anybody. Throws Fault.
    void checkpoint();
    /// Makes `target` a copy of this database, page by page in steps, `after_step` after each. Keep a
    /// transaction open here, else a write by somebody else begins the copy anew. Throws Fault.
    void copy_into(Connection& target, const std::function<void(int pages_left, int pages_total)>& after_step);

private:
    struct Close {
        void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
    };
    using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

    sqlite3_stmt* prepared(const Statement& statement);
    void bind(sqlite3_stmt* prepared, const Statement& statement, const Values& parameters);
    [[noreturn]] void fail(int code, std::string_view what) const;

    int wal_frames_ = 0;
    std::optional<observe::Gauge> cache_gauge_;
    std::int64_t cache_counted_ = 0;
    std::unique_ptr<sqlite3, Close> db_;
    std::unordered_map<const char*, Prepared> cache_;
};

}  // namespace postern::store::sqlite
