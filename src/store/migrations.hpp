#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/value.hpp"

namespace postern::store {

/// One numbered step of the schema. Forward only; its checksum (SHA-256 of the text) is stored when
/// it is applied, and an applied step whose text changed stops the start.
///
/// Expand, then contract: a step that adds begins with the line "-- readable by V0009", the step that a program must know at
/// the least to run on the schema after it. That is stored beside the checksum, so that the version before goes on, and starts again,
/// while nodes are upgraded one after another. A step without that line is for programs that know it.
struct Migration {
    int number;
    std::string_view name;  ///< "accounts"
    std::string_view sql;   ///< several statements
};
/// In order, numbers 1, 2, 3 … without a gap. Embedded from src/store/migrations/sqlite/V0001__name.sql.
std::span<const Migration> sqlite_migrations() noexcept;
/// The same numbers and names, from src/store/migrations/postgres.
std::span<const Migration> postgres_migrations() noexcept;

// What both engines hold against a schema.

/// "V0001__accounts.sql"
std::string file_name(const Migration& migration);
/// What its first line says; nullopt: whoever runs on it must know it. Throws std::logic_error for a line that says nothing sensible.
std::optional<int> readable_by(const Migration& migration);
/// Lower-case hex of the text's SHA-256.
std::string checksum(const Migration& migration);
/// Throws std::logic_error for a list that is not numbered 1, 2, 3 …
void check_numbered(std::span<const Migration> migrations);
/// `applied`: number, name, checksum and readable_by (or NULL) of what `place` has, in order. Throws std::runtime_error saying what
/// to do: a newer schema that whoever knows `migrations` may not run on, a gap, an applied migration whose text changed.
void check_applied(const Rows& applied, const std::string& place, std::span<const Migration> migrations);
/// What fails a migration that did not leave the transaction to its caller.
[[noreturn]] void throw_ended_transaction(const Migration& migration);
/// What fails one that the engine refused; nothing of it stays.
[[noreturn]] void throw_failed(const Migration& migration, const std::string& place, const std::string& why);

}  // namespace postern::store
