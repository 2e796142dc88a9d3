#pragma once
#include <vector>

#include "azure/account.hpp"
#include "azure/deps.hpp"
#include "azure/intune.hpp"

namespace postern::azure {

/// Intune::test(): every step with a connection and a token of its own, nothing kept and nothing from a cache.
core::Task<std::vector<TestStep>> test_account(const ClientDeps& deps, AccountRef account, core::Deadline deadline);

}  // namespace postern::azure
