#pragma once
#include <cstdint>
#include <functional>
#include <string>

/// Whole copies of an embedded store, made while it is in use.
namespace postern::store {

/// Told how many of how many octets are copied.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Octets that a copy of the database will take.
std::int64_t sqlite_size(const std::string& path);

/// Copies the database `from` as one batch left it to the new file `to` (0600), durable when it returns. Readers
/// and the writer go on meanwhile; the write-ahead log is not cut shorter until the copy ends. The
/// copy is one file without a log. Takes seconds for gigabytes: not for a thread that serves.
/// Throws StoreUnavailable (disk full, broken), std::runtime_error when `to` exists.
void copy_sqlite(const std::string& from, const std::string& to, const CopyProgress& progress);

/// Reads a copy from end to end: integrity, references, and the migrations that were applied. Gives
/// the number of its schema, which may be older than this binary's. Throws std::runtime_error that
/// says what is wrong: damaged, another program's, newer, a changed migration.
int check_sqlite_copy(const std::string& path);

}  // namespace postern::store
