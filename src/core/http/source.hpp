#pragma once
#include <string>
#include <string_view>

namespace postern::http {

/// Whom tries, refusals and waits are counted for. One customer's network has a whole /64 of IPv6 (RFC 6177), in which every request
/// can come from another address: "2001:db8:1:2::/64". An IPv4-mapped address is its IPv4 one, and what is no address ("local") is itself.
std::string source_of(std::string_view address);

}  // namespace postern::http
