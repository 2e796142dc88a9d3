#pragma once
#include "core/async/task.hpp"
#include "core/crypto/sealer.hpp"
#include "store/database.hpp"

namespace postern::app {

/// Whether this master key is the one that the store was made with: compared with a value that is derived
/// from it and kept in the store. Throws std::runtime_error for another one; a store without that value
/// passes.
core::Task<void> check_master_key(store::Database& db, const crypto::Sealer& sealer);
/// Keeps the value in a store that has none, once the CA's keys have opened; and checks again, for another
/// node may have been first.
core::Task<void> keep_master_key_check(store::Database& db, const crypto::Sealer& sealer);

}  // namespace postern::app
