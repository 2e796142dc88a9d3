#pragma once
#include <cstdint>
#include <memory>

#include "core/dns/resolver.hpp"
#include "core/http/client.hpp"
#include "validation/dialling.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

struct Http01Config {
    Http01Config() = default;
    std::uint16_t port = 80;          ///< stands for 80 in redirects too; changed only under --lab
    std::uint16_t https_port = 443;   ///< stands for 443 of redirects; changed only in tests
    bool private_targets = false;     ///< --lab: every question may reach private and loopback addresses
    unsigned redirects = 10;
    std::size_t body_bytes = 512;
    std::chrono::milliseconds time{10'000};
    Guard guard = &why_forbidden;
    std::string user_agent = "Postern-validation (RFC 8555 http-01)";
};

/// RFC 8555 §8.3 with limits of our own.
std::unique_ptr<Validator> make_http_01_validator(dns::Resolver& resolver, Http01Config config);

}  // namespace postern::validation
