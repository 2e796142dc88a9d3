#pragma once
#include <string_view>

namespace postern::app {

/// "0.1.0+<revision>"
std::string_view version() noexcept;

}  // namespace postern::app
