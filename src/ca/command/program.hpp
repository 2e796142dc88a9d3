#pragma once
#include <string>
#include <vector>

namespace postern::ca::command {

/// Why that program must not be run, or empty: it and the files among its arguments must be owned by root or by
/// this user, and neither they nor a folder on the way may be writable by others (a sticky folder may).
std::string why_not_run(const std::vector<std::string>& argv);

}  // namespace postern::ca::command
