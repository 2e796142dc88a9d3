#pragma once
#include <memory>
#include <span>
#include <string>

#include "core/base/clock.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"
#include "store/migrations.hpp"

namespace postern::store {

/// The embedded engine: WAL, synchronous=FULL, one writer thread with group commit, a stack of
/// read-only connections. Creates the file (0600) and applies missing migrations under the
/// database's own lock. Throws std::runtime_error with what to do: a schema newer than this
/// binary, a changed migration, another program's database, a file that is none. Two processes may
/// open one file; that one server serves a data folder is for the folder's lock to see to.
std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics);
/// With a schema of its own: for tests.
std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics,
                                      std::span<const Migration> migrations);

}  // namespace postern::store
