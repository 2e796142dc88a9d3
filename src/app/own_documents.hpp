#pragma once
#include <string_view>

#include "core/async/task.hpp"

namespace postern::app {

class House;

/// TOML of what the server itself needs: its tenant, profiles, endpoint and account, all of them reserved (no document of
/// others makes, changes or removes one).
[[nodiscard]] std::string_view own_documents() noexcept;

/// Brings an installation that an earlier version made up to own_documents(), at the start of a server. Whatever else is in
/// the store stays as it is; where a later version was here, all of it. Of nodes that start together one does it. Throws
/// std::runtime_error when it cannot be done.
core::Task<void> renew_own_documents(House& house);
/// Marks a new installation: its own objects are this version's.
core::Task<void> mark_own_documents(House& house);

}  // namespace postern::app
