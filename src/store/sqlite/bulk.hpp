#pragma once
#include <memory>
#include <string>

#include "store/bulk.hpp"

namespace postern::store {

/// The tables of an existing database file. To write, nobody else may have it open. Throws StoreUnavailable.
std::unique_ptr<Bulk> open_sqlite_bulk(const std::string& path, bool writes);

}  // namespace postern::store
