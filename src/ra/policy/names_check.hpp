#pragma once
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/name.hpp"
#include "ra/catalog.hpp"
#include "ra/trace.hpp"

namespace postern::ra {

/// The checks that need names alone: count, kinds the profile allows, the account's scope, public
/// suffixes, look-alikes and the tenant's delegated domains. A front end may ask early (newOrder), so that nobody validates a name
/// in vain; the waist asks again. One subproblem a bad name.
core::Result<void> check_names(const Catalog& catalog, const Account& account, const Profile& profile,
                               const std::vector<crypto::GeneralName>& names, Trace& trace);

}  // namespace postern::ra
