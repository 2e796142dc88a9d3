#pragma once
#include <memory>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/schema.hpp"

namespace postern::store {

/// What a look at the whole file found.
struct SqliteState {
    SqliteState() = default;
    std::vector<std::string> damage;  ///< lines of integrity_check or quick_check; empty: sound
    std::int64_t orphans = 0;         ///< rows whose foreign key names nothing
    std::string journal_mode;         ///< "wal" once a server had it
};

/// A database file for reading only, without migrating it. Where no server has it open, a log that a
/// crash left is folded into it when this ends, as the next start would do: reading alone would leave
/// files beside it.
class SqliteExamination {
public:
    /// Throws std::runtime_error for a file that is missing, no database or another program's, and for a
    /// schema that this program does not know.
    SqliteExamination(const std::string& path, bool server_has_it);
    ~SqliteExamination();
    SqliteExamination(const SqliteExamination&) = delete;
    SqliteExamination& operator=(const SqliteExamination&) = delete;

    /// Reads every page: integrity_check where `thorough`, else quick_check, which leaves indexes out.
    [[nodiscard]] SqliteState look(bool thorough);
    [[nodiscard]] const SchemaState& schema() const noexcept;
    /// Writes are broken invariants.
    [[nodiscard]] Database& database() noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What a database file has of the schema; a file that is not there has none. Changes nothing. Throws as
/// SqliteExamination does.
SchemaState sqlite_schema(const std::string& path, bool server_has_it);

}  // namespace postern::store
