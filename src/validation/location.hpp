#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace postern::validation {

/// Where a probe goes: as much of a URL as validation permits.
struct Location {
    Location() = default;
    bool https = false;
    std::string host;         ///< DNS name in lower case without final dot, or an IP address without brackets
    bool address = false;     ///< host is an address
    std::uint16_t port = 0;   ///< as written; 0: none was
    std::string target;       ///< path and query, begins with '/'

    /// For people, for loop detection and (without the scheme) for the Host header.
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::string authority() const;
};

/// Resolves the Location header of an answer from `base` (RFC 3986 §5). Refused with `connection`:
/// other schemes, user information, an IP address other than `base`'s own, a host that is no DNS
/// name, anything that is not plain ASCII. Ports are the caller's to judge.
core::Result<Location> follow(const Location& base, std::string_view header);

}  // namespace postern::validation
