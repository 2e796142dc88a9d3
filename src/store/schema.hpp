#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "core/base/time.hpp"
#include "store/migrations.hpp"

namespace postern::store {

/// What a database has of the schema, and what this program knows of it.
struct SchemaState {
    SchemaState() = default;
    std::span<const Migration> known;      ///< 1, 2, 3 …
    std::vector<core::TimePoint> applied;  ///< when, one after another; empty: nobody used this database yet

    [[nodiscard]] std::span<const Migration> missing() const noexcept { return known.subspan(std::min(applied.size(), known.size())); }
    /// A later version made it, and this one may run on it.
    [[nodiscard]] bool newer() const noexcept { return applied.size() > known.size(); }
};

}  // namespace postern::store
