#pragma once
#include <string>
#include <vector>

#include "app/config.hpp"
#include "store/copy.hpp"

namespace postern::app {

struct CopyOptions {
    CopyOptions() = default;
    Config from, to;  ///< the same data folder; each with its own store
    store::CopyWatcher watch = [](const store::CopyStep&) {};
};

struct CopyReport {
    CopyReport() = default;
    std::string from, to;  ///< for people, without passwords
    std::vector<store::CopiedTable> tables;
    std::int64_t rows = 0;
};

/// Carries a stopped installation from one store to another, under the lock of its data folder: every row, each
/// table read back from the target and compared. Until that is done both are marked and no server starts on
/// them; from then on the source alone is. Throws std::runtime_error that says what to do: a server runs, the target
/// holds something, the source is the target of another copy or was moved, schemas that differ, a table that did
/// not arrive as it was. What an interrupted copy leaves is
/// emptied by the next one.
CopyReport copy_store(const CopyOptions& options);

}  // namespace postern::app
