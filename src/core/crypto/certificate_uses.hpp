#pragma once
#include <string>
#include <vector>

#include "core/crypto/certificate.hpp"

namespace postern::crypto {

constexpr std::string_view eku_ocsp_signing = "1.3.6.1.5.5.7.3.9";
constexpr std::string_view eku_cmc_authority = "1.3.6.1.5.5.7.3.27";       ///< id-kp-cmcCA (RFC 6402)
constexpr std::string_view eku_cmc_registration = "1.3.6.1.5.5.7.3.28";    ///< id-kp-cmcRA
constexpr std::string_view eku_request_agent = "1.3.6.1.4.1.311.20.2.1";   ///< Certificate Request Agent: NDES' RA certificates

/// The purposes of its extendedKeyUsage as dotted OIDs; empty without the extension. `malformed` where it is no list of OIDs.
core::Result<std::vector<std::string>> extended_key_usage(const Certificate& certificate);

}  // namespace postern::crypto
