#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/name.hpp"

namespace postern::ra {

/// How ACME clients prove that they control a name (RFC 8555 §8, RFC 8737, draft-ietf-acme-dns-account-label).
inline constexpr std::array<std::string_view, 4> challenge_methods{"http-01", "tls-alpn-01", "dns-01", "dns-account-01"};
/// "http-01, tls-alpn-01, …"
std::string methods_text();

/// Whether that method can prove such a name at all: wildcards are proven in DNS alone (RFC 8555 §8.3, RFC 8737 §3), addresses
/// anywhere else (RFC 8738 §7).
bool can_prove(std::string_view method, const crypto::GeneralName& name) noexcept;
/// Those of `allowed` that can.
std::vector<std::string> methods_for(const std::vector<std::string>& allowed, const crypto::GeneralName& name);

}  // namespace postern::ra
