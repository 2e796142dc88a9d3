#pragma once
#include "core/base/time.hpp"
#include "store/batch.hpp"

namespace postern::acme {

/// Ends whatever clients had under way when the backup was made: orders that no enrollment took,
/// authorizations and challenges. Accounts and issued certificates stay. Nonces are not stored.
void void_pending(store::Batch& batch, core::TimePoint now);

}  // namespace postern::acme
