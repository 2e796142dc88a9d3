#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

/// One numbered step of the schema. Forward only; its checksum (SHA-256 of the text) is stored when
/// it is applied, and an applied step whose text changed stops the start.
struct Migration {
    int number;
    std::string_view name;  ///< "accounts"
    std::string_view sql;   ///< several statements
};
/// In order, numbers 1, 2, 3 … without a gap. Embedded from src/store/migrations/sqlite/V0001__name.sql.
std::span<const Migration> sqlite_migrations() noexcept;

}  // namespace postern::store
