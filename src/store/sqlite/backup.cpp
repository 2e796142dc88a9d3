#include "store/sqlite/backup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/migrations.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/migrate.hpp"

namespace postern::store {

namespace {

using sqlite::Connection;

constexpr Statement page_size{"page_size", "PRAGMA page_size"};
constexpr Statement page_count{"page_count", "PRAGMA page_count"};
constexpr Statement first_read{"snapshot", "SELECT count(*) FROM sqlite_master"};
constexpr Statement integrity{"integrity_check", "PRAGMA integrity_check(1)"};
constexpr Statement references{"foreign_key_check", "PRAGMA foreign_key_check"};

std::int64_t number(Connection& connection, const Statement& statement) {
    Rows rows;
    connection.run(statement, {}, &rows);
    return rows.at(0).integer(0);
}

[[noreturn]] void failed(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

void create(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) failed("cannot create " + path);
    ::close(fd);
}

void sync(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) failed("cannot open " + path);
    const int synced = ::fsync(fd);
    ::close(fd);
    if (synced != 0) failed("cannot sync " + path);
}

}  // namespace

std::int64_t sqlite_size(const std::string& path) {
    Connection source(path, Connection::Access::read_only);
    return number(source, page_size) * number(source, page_count);
}

void copy_sqlite(const std::string& from, const std::string& to, const CopyProgress& progress) {
    create(to);
    {
        Connection source(from, Connection::Access::read_only);
        // One snapshot for all steps: without it each commit of the writer would start the copy anew.
        source.script("BEGIN", "snapshot");
        number(source, first_read);
        Connection target(to, Connection::Access::read_write);
        const auto octets = number(source, page_size);
        source.copy_into(target, [&](int left, int total) { progress((total - left) * octets, total * octets); });
        source.script("COMMIT", "snapshot");
        target.script("PRAGMA journal_mode=DELETE", "journal_mode");
    }
    sync(to);
}

int check_sqlite_copy(const std::string& path) {
    try {
        Connection copy(path, Connection::Access::read_only);
        sqlite::check_owner(copy, path);
        Rows found;
        copy.run(integrity, {}, &found);
        if (found.at(0).text(0) != "ok") throw std::runtime_error(path + " is damaged: " + found.at(0).text(0));
        if (copy.run(references, {}).rows != 0) throw std::runtime_error(path + " is damaged: rows refer to others that are missing");
        return static_cast<int>(sqlite::schema_of(copy, path, sqlite_migrations()).applied.size());
    } catch (const sqlite::Fault& fault) {
        throw std::runtime_error(path + " is damaged: " + fault.what());
    }
}

}  // namespace postern::store
