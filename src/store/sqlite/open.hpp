#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/base/clock.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"
#include "store/migrations.hpp"

namespace postern::store {

/// Hears of a failed fsync or a lost write, with the reason, on the writer's thread and before anybody
/// is told of the commit. It should end the process: what the file holds is uncertain until it is
/// read anew. Where it returns, no further write is taken.
using DiskFailed = std::function<void(const std::string& why)>;

/// The embedded engine: WAL, synchronous=FULL, one writer thread with group commit, a stack of
/// read-only connections. Creates the file (0600) and applies missing migrations under the
/// database's own lock. Throws std::runtime_error with what to do: a schema newer than this
/// binary, a changed migration, another program's database, a file that is none. Two processes may
/// open one file; that one server serves a data folder is for the folder's lock to see to.
std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics,
                                      DiskFailed disk_failed = {});
/// With a schema of its own: for tests.
std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics,
                                      std::span<const Migration> migrations, DiskFailed disk_failed = {});

}  // namespace postern::store
