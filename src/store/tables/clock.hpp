#pragma once
#include "store/statement.hpp"

namespace postern::store {

/// What the database's own clock says now, Unix milliseconds. NULL for an engine that runs in this process: its clock
/// is this machine's, and would agree with itself.
inline constexpr Statement store_clock{"store_clock", "SELECT CAST(NULL AS BIGINT)",
                                       "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"};

}  // namespace postern::store
