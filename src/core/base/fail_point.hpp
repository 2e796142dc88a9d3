#pragma once
#include <string_view>

namespace postern::core {

/// Marks one of the nine places of an issuance where a fault is tried. The shipped executable
/// links an empty body; postern-faulty links one that obeys POSTERN_FAIL.
void fail_point(std::string_view name);

}  // namespace postern::core
