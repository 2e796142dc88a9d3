#pragma once
#include <string>
#include <string_view>

namespace postern::toml {

/// A key as it stands in a path or a line: bare where TOML allows it, else quoted.
std::string written_key(std::string_view key);

}  // namespace postern::toml
