#pragma once
#include <memory>

#include "store/bulk.hpp"
#include "store/postgres/open.hpp"

namespace postern::store {

/// The tables of a database that has its schema, by COPY in its binary form over one connection. Throws
/// StoreUnavailable, std::runtime_error for a URL that is none.
std::unique_ptr<Bulk> open_postgres_bulk(const PostgresSettings& settings, bool writes);

}  // namespace postern::store
