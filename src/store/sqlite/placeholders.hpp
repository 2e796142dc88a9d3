#pragma once
#include <string>
#include <string_view>

namespace postern::store::sqlite {

/// `$N` becomes `?N` outside quotes and comments: SQLite takes $1 for a name and numbers names by
/// first appearance, so "SELECT $2, $1" would bind the first value to $2.
std::string numbered_placeholders(std::string_view sql);

}  // namespace postern::store::sqlite
