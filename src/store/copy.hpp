#pragma once
#include <functional>
#include <string>
#include <vector>

#include "store/bulk.hpp"

namespace postern::store {

/// What went over, and what it was checked by.
struct CopiedTable {
    CopiedTable() = default;
    std::string name;
    std::int64_t rows = 0;
    std::string digest;  ///< hex of the sum of the rows' SHA-256, which no order of rows changes
};

/// What a person watching hears: `done` of `total` rows of a table, while they are written and again while
/// they are read back.
struct CopyStep {
    enum class Phase { writing, reading_back };
    CopyStep(Phase p, std::string t, std::int64_t d, std::int64_t n) : phase(p), table(std::move(t)), done(d), total(n) {}
    Phase phase;
    std::string table;
    std::int64_t done, total;
};
using CopyWatcher = std::function<void(const CopyStep&)>;

/// Throws std::runtime_error naming the first table or column that only one of them has.
void require_equal_tables(const std::vector<BulkTable>& from, const std::vector<BulkTable>& to);

/// Empties `to`, writes every row of `from` into it in batches, and reads all of it back: number of rows and
/// digest must be what was read from `from`. Memory is bounded by a batch. Throws std::runtime_error naming
/// the table that differs.
std::vector<CopiedTable> copy_tables(Bulk& from, Bulk& to, const CopyWatcher& watch);

}  // namespace postern::store
