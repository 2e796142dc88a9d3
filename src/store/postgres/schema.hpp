#pragma once
#include "store/postgres/open.hpp"
#include "store/schema.hpp"

namespace postern::store {

/// What a database has of the schema. Changes nothing. Throws as open_postgres does.
SchemaState postgres_schema(const PostgresSettings& settings);

}  // namespace postern::store
