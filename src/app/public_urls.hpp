#pragma once
#include "app/config.hpp"
#include "core/async/task.hpp"
#include "store/database.hpp"

namespace postern::app {

/// Free ports for every listener that asked for port 0, as chosen at the first start of this store; of this
/// node where several share it.
core::Task<void> choose_ports(store::Database& db, Config& config, std::string node);

/// Account, AIA and CRL URLs outlive ports and machines, so the first start fixes what they begin
/// with: [public], else the listeners' own addresses. A later [public] that differs throws.
core::Task<void> fix_public_urls(store::Database& db, Config& config, std::string node, observe::Log& log);

/// "0.0.0.0" and "::" are no names: the host's own is used.
std::string public_host(const Address& address);

}  // namespace postern::app
