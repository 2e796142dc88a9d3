#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// $1 key_id, $2 never_takes_over: a row unless that issuing CA was withdrawn. What is about to be issued under it is guarded by it; the first CA,
/// and what is not ours, has no day that could be taken from it.
inline constexpr Statement succession_stands{
    "succession_stands", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM succession WHERE key_id = $1 AND takes_over_ms >= $2)"};

}  // namespace postern::store
