#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "store/migrations.hpp"
#include "store/postgres/libpq.hpp"

namespace postern::store::postgres {

/// Applies what is missing in one transaction, under an advisory lock for which it waits while another
/// node does the same. `place` names the database for people. Throws StoreUnavailable when the connection breaks,
/// std::runtime_error saying what to do: another program's database, a schema newer than `migrations`,
/// an applied migration whose text changed, one that fails, a right that is missing.
void migrate(PGconn* connection, const std::string& place, const core::Clock& clock, std::span<const Migration> migrations);

/// File names of what migrate() would apply; changes nothing. Throws as it does.
std::vector<std::string> missing(PGconn* connection, const std::string& place, std::span<const Migration> migrations);

}  // namespace postern::store::postgres
