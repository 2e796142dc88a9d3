#include "store/sqlite/log_file.hpp"

#include <sqlite3.h>

#include <cstring>
#include <new>
#include <vector>

namespace postern::store::sqlite {

namespace {

constexpr const char* name = "postern-gathering";
/// SQLite takes no more than 128 KiB in one call (it masks the length); a longer transaction is written in parts.
constexpr std::size_t most_gathered = 120 * 1024;

/// What SQLite holds for an open log. The file itself lies behind it in the same memory.
struct LogFile {
    sqlite3_file base;  ///< first: SQLite knows no more of it
    sqlite3_int64 start = 0;
    std::vector<unsigned char> gathered;  ///< of the file from `start` on

    [[nodiscard]] sqlite3_file* real() noexcept { return reinterpret_cast<sqlite3_file*>(this + 1); }
    [[nodiscard]] bool continues(sqlite3_int64 at, std::size_t size) const noexcept {
        return at == start + static_cast<sqlite3_int64>(gathered.size()) && gathered.size() + size <= most_gathered;
    }
    /// What cannot be written is given up with its transaction, which SQLite rolls back.
    int flush() noexcept {
        if (gathered.empty()) return SQLITE_OK;
        const int code = real()->pMethods->xWrite(real(), gathered.data(), static_cast<int>(gathered.size()), start);
        gathered.clear();
        return code;
    }
};
static_assert(sizeof(LogFile) % alignof(sqlite3_int64) == 0, "what lies behind it is aligned as SQLite aligns files");

LogFile* log_of(sqlite3_file* file) noexcept { return reinterpret_cast<LogFile*>(file); }

int close(sqlite3_file* file) {
    auto* log = log_of(file);
    const int flushed = log->flush();
    const int closed = log->real()->pMethods->xClose(log->real());
    log->~LogFile();
    return flushed != SQLITE_OK ? flushed : closed;
}

int read(sqlite3_file* file, void* into, int size, sqlite3_int64 at) {
    auto* log = log_of(file);
    if (const int code = log->flush(); code != SQLITE_OK) return code;
    return log->real()->pMethods->xRead(log->real(), into, size, at);
}

int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    auto* log = log_of(file);
    const auto octets = static_cast<std::size_t>(size);
    if (!log->continues(at, octets)) {
        if (const int code = log->flush(); code != SQLITE_OK) return code;
        log->start = at;
    }
    const auto* begin = static_cast<const unsigned char*>(from);
    try {
        log->gathered.insert(log->gathered.end(), begin, begin + octets);
    } catch (const std::bad_alloc&) {
        return SQLITE_IOERR_NOMEM;
    }
    return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto* log = log_of(file);
    if (const int code = log->flush(); code != SQLITE_OK) return code;
    return log->real()->pMethods->xTruncate(log->real(), size);
}

int sync(sqlite3_file* file, int flags) {
    auto* log = log_of(file);
    if (const int code = log->flush(); code != SQLITE_OK) return code;
    return log->real()->pMethods->xSync(log->real(), flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    auto* log = log_of(file);
    if (const int code = log->flush(); code != SQLITE_OK) return code;
    return log->real()->pMethods->xFileSize(log->real(), size);
}

int lock(sqlite3_file* file, int level) { return log_of(file)->real()->pMethods->xLock(log_of(file)->real(), level); }
int unlock(sqlite3_file* file, int level) { return log_of(file)->real()->pMethods->xUnlock(log_of(file)->real(), level); }
int is_reserved(sqlite3_file* file, int* out) { return log_of(file)->real()->pMethods->xCheckReservedLock(log_of(file)->real(), out); }

int control(sqlite3_file* file, int operation, void* argument) {
    auto* log = log_of(file);
    if (const int code = log->flush(); code != SQLITE_OK) return code;
    return log->real()->pMethods->xFileControl(log->real(), operation, argument);
}

int sector_size(sqlite3_file* file) { return log_of(file)->real()->pMethods->xSectorSize(log_of(file)->real()); }
int characteristics(sqlite3_file* file) { return log_of(file)->real()->pMethods->xDeviceCharacteristics(log_of(file)->real()); }

const sqlite3_io_methods* methods() noexcept {
    static const sqlite3_io_methods all = [] {
        sqlite3_io_methods m{};
        m.iVersion = 1;  // a log has neither shared memory nor a mapping
        m.xClose = &close;
        m.xRead = &read;
        m.xWrite = &write;
        m.xTruncate = &truncate;
        m.xSync = &sync;
        m.xFileSize = &file_size;
        m.xLock = &lock;
        m.xUnlock = &unlock;
        m.xCheckReservedLock = &is_reserved;
        m.xFileControl = &control;
        m.xSectorSize = &sector_size;
        m.xDeviceCharacteristics = &characteristics;
        return m;
    }();
    return &all;
}

sqlite3_vfs* system_files() noexcept {
    static sqlite3_vfs* const found = sqlite3_vfs_find(nullptr);
    return found;
}

/// Every other file is the system's alone.
int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* given) {
    sqlite3_vfs* system = system_files();
    if ((flags & SQLITE_OPEN_WAL) == 0) return system->xOpen(system, path, file, flags, given);
    auto* log = new (file) LogFile();
    log->base.pMethods = nullptr;  // not open: SQLite closes no such file
    log->real()->pMethods = nullptr;
    const int code = system->xOpen(system, path, log->real(), flags, given);
    if (code != SQLITE_OK) {
        if (log->real()->pMethods != nullptr) log->real()->pMethods->xClose(log->real());
        log->~LogFile();
        return code;
    }
    log->base.pMethods = methods();
    return SQLITE_OK;
}

bool register_once() noexcept {
    sqlite3_vfs* system = system_files();
    if (system == nullptr) return false;
    static sqlite3_vfs own = *system;
    own.pNext = nullptr;
    own.zName = name;
    own.szOsFile = static_cast<int>(sizeof(LogFile)) + system->szOsFile;
    own.xOpen = &open;
    return sqlite3_vfs_register(&own, 0) == SQLITE_OK;
}

}  // namespace

const char* gathering_files() noexcept {
    static const bool registered = register_once();
    return registered ? name : nullptr;
}

}  // namespace postern::store::sqlite
