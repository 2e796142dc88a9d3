#pragma once
#include <memory>

#include "azure/deps.hpp"
#include "azure/intune.hpp"

namespace postern::azure {

/// Intune over HTTPS. Everything runs on `deps.home`; the tasks group is drained before the client ends.
std::unique_ptr<Intune> make_intune_client(ClientDeps deps);

}  // namespace postern::azure
