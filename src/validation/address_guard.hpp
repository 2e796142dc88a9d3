#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace postern::validation {

/// The one filter for every connection that a stranger can cause (V01): IANA special-purpose
/// ranges of IPv4 and IPv6, IPv4-mapped, NAT64 and 6to4 forms of them included.
/// nullopt: may be dialled. Otherwise why not, for the trace: "loopback", "private (RFC 1918)" …
std::optional<std::string_view> why_forbidden(std::string_view address) noexcept;

}  // namespace postern::validation
