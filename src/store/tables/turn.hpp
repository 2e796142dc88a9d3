#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// First in a batch that changes what intents are judged by (enrollment_guard): it waits for the intents that are being written, and
/// those that come meanwhile wait for it. Else a steady stream of them could hold it up for ever.
inline constexpr Statement configuration_turn{"configuration_turn", "SELECT 1", "SELECT 1 FROM take_turn()"};

}  // namespace postern::store
