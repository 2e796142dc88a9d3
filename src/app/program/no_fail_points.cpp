#include "core/async/fail_point.hpp"

namespace postern::core {

Task<void> fail_point(std::string_view) { co_return; }
bool fail_point_armed(std::string_view) noexcept { return false; }

}  // namespace postern::core
