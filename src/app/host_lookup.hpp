#pragma once
#include <string>

namespace postern::app {

/// The system's own resolver, for the command line only: first address of `host`.
/// Throws std::runtime_error.
std::string resolve_host(const std::string& host);

}  // namespace postern::app
