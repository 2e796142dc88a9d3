#pragma once
#include <optional>
#include <string>

#include "core/crypto/certificate.hpp"

namespace postern::crypto {

/// The serial number in the hardwareModuleName (RFC 4108 §5) among a certificate's alternative names: its octets where they are
/// printable ASCII, else in lower-case hex. nullopt without one, with several, or with one that is no such name.
std::optional<std::string> hardware_module_serial(const Certificate& certificate);

}  // namespace postern::crypto
