#pragma once
#include <string_view>

#include "core/base/bytes.hpp"

namespace postern::azure {

/// The octets by which a challenge of Intune's is known again, however its text is written: whoever holds one writes
/// it into the CSR himself, and a second spelling must not count as a second challenge. It is base64 of a signed CMS
/// message, whose signed content nobody can change; what cannot be read as that stands for itself, less and less
/// understood: the octets of the base64, the text. Never empty for a text that is not.
core::Bytes challenge_identity(std::string_view text);

}  // namespace postern::azure
