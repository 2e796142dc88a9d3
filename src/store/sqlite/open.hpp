#pragma once
#include <memory>
#include <string>

#include "core/base/clock.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"

namespace postern::store {

/// The embedded engine: WAL, synchronous=FULL, one writer thread with group commit, a stack of
/// read-only connections. Creates the file (0600) and applies missing migrations under the
/// database's own lock. Throws std::runtime_error with what to do: a schema newer than this
/// binary, a changed migration, a file that is no database, a second process.
std::unique_ptr<Database> open_sqlite(const std::string& path, const core::Clock& clock, observe::Metrics& metrics);

}  // namespace postern::store
