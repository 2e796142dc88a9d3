#pragma once
#include <span>
#include <string>

#include "core/base/clock.hpp"
#include "store/migrations.hpp"
#include "store/schema.hpp"
#include "store/sqlite/connection.hpp"

namespace postern::store::sqlite {

/// Throws std::runtime_error for another program's database. Reads only.
void check_owner(Connection& connection, const std::string& path);

/// Reads only. Throws as migrate() does for what it could not go on from.
SchemaState schema_of(Connection& connection, const std::string& path, std::span<const Migration> migrations);

/// Applies what is missing in one transaction; several processes may do so at once. Throws
/// std::runtime_error saying what to do: another program's database, a schema newer than
/// `migrations`, an applied migration whose text changed, one that fails.
void migrate(Connection& connection, const std::string& path, const core::Clock& clock,
             std::span<const Migration> migrations);

}  // namespace postern::store::sqlite
