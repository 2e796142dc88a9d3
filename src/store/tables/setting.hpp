#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// Facts fixed at the first start. $1 name, $2 value; the first writer wins.
inline constexpr Statement setting_insert{
    "setting_insert", "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"};
inline constexpr Statement setting_get{"setting_get", "SELECT value FROM setting WHERE name = $1"};
inline constexpr Statement setting_any{"setting_any", "SELECT name FROM setting LIMIT 1"};
/// $1 name
inline constexpr Statement setting_remove{"setting_remove", "DELETE FROM setting WHERE name = $1"};
inline constexpr Statement setting_update{"setting_update", "UPDATE setting SET value = $2 WHERE name = $1"};
/// A setting that only one may change: $1 name, $2 the value it has, $3 the value it gets
inline constexpr Statement setting_replace{
    "setting_replace", "UPDATE setting SET value = $3 WHERE name = $1 AND value = $2"};

}  // namespace postern::store
