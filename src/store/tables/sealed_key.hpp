#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// $1 name, $2 sealed, $3 created_ms; the first writer wins.
inline constexpr Statement sealed_key_insert{
    "sealed_key_insert",
    "INSERT INTO sealed_key (name, sealed, created_ms) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"};
/// sealed: $1 name
inline constexpr Statement sealed_key_get{"sealed_key_get", "SELECT sealed FROM sealed_key WHERE name = $1"};

}  // namespace postern::store
