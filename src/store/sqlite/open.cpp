#include "store/sqlite/open.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

#include "core/async/shards.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/readers.hpp"
#include "store/sqlite/writer.hpp"

namespace postern::store {

namespace {

class SqliteDatabase final : public Database {
public:
    SqliteDatabase(const std::string& path, observe::Metrics& metrics, DiskFailed disk_failed)
        : writer_(path, metrics, std::move(disk_failed)),
          readers_(path, core::usable_cores(), sqlite::cache_gauge(metrics)) {}

    core::Task<Rows> read(const Statement& statement, Values parameters) override {
        co_return readers_.read(statement, parameters);
    }
    core::Task<Written> write(Batch batch) override { return writer_.submit(std::move(batch)); }
    void close() override {
        readers_.close();
        writer_.close();
    }
    [[nodiscard]] std::string trouble() const override { return writer_.trouble(); }
    [[nodiscard]] std::string_view engine() const noexcept override { return "sqlite"; }

private:
    // The writer closes last: only a connection that may write takes the log file away.
    sqlite::Writer writer_;
    sqlite::Readers readers_;
};

/// SQLite would create it with the umask's mode; its log files take the mode of the database. An
/// existing file is not touched: closing a descriptor drops this process's locks on the file.
void create_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ::close(fd);
    } else if (errno != EEXIST) {
        throw std::runtime_error("cannot create the database " + path + ": " + std::strerror(errno) +
                                 "; its folder must exist and be writable");
    }
}

/// Changing to WAL does not wait for another opener on its own.
void use_wal(sqlite::Connection& connection, const std::string& path) {
    static constexpr Statement set{"journal_mode", "PRAGMA journal_mode=WAL"};
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    for (;;) {
        try {
            Rows rows;
            connection.run(set, {}, &rows);
            if (rows.at(0).text(0) == "wal") return;
            throw std::runtime_error(path + " is on a file system without shared memory, which SQLite's "
                                            "write-ahead log needs; use a local one");
        } catch (const sqlite::Fault& fault) {
            if ((fault.code() & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() > give_up) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

/// What an earlier run left in the log is written to the file and synced before it counts: after a
/// failed fsync the log may be whole in the page cache alone. Another opener who does so already is as good.
void settle_log(sqlite::Connection& connection) {
    try {
        connection.checkpoint();
    } catch (const sqlite::Fault& fault) {
        if ((fault.code() & 0xff) != SQLITE_BUSY) throw;
    }
}

void prepare(const std::string& path, const core::Clock& clock, std::span<const Migration> migrations) {
    create_private(path);
    try {
        sqlite::Connection connection(path, sqlite::Connection::Access::read_write);
        sqlite::check_owner(connection, path);
        use_wal(connection, path);
        sqlite::migrate(connection, path, clock, migrations);
        settle_log(connection);
    } catch (const sqlite::Fault& fault) {
        if ((fault.code() & 0xff) != SQLITE_NOTADB) throw;
        throw std::runtime_error(path + " is no SQLite database; name another file");
    }
}

}  // namespace

namespace {

/// Before the library's first use in this process: its memory statistics take one lock an
/// allocation, for figures nobody here reads.
void configure_library() {
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

}  // namespace

std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics,
                                      std::span<const Migration> migrations, DiskFailed disk_failed) {
    configure_library();
    prepare(path, clock, migrations);
    return std::make_unique<SqliteDatabase>(path, metrics, std::move(disk_failed));
}

std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics,
                                      DiskFailed disk_failed) {
    return open_sqlite(path, clock, metrics, sqlite_migrations(), std::move(disk_failed));
}

}  // namespace postern::store
