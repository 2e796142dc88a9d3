#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "validation/dialling.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

struct TlsAlpn01Config {
    TlsAlpn01Config() = default;
    std::uint16_t port = 443;      ///< changed only under --lab
    bool private_targets = false;  ///< --lab: every question may reach private and loopback addresses
    std::chrono::milliseconds time{10'000};
    Guard guard = &why_forbidden;
};

/// The server name of a handshake for an address (RFC 8738 §6): "1.2.0.192.in-addr.arpa". Empty for what is no address.
std::string reverse_name(std::string_view address);

/// RFC 8737: TLS 1.2 or 1.3 with ALPN acme-tls/1 alone, to an address of the name, which shows the certificate that
/// check_acme_certificate() wants.
std::unique_ptr<Validator> make_tls_alpn_01_validator(dns::Resolver& resolver, TlsAlpn01Config config);

}  // namespace postern::validation
