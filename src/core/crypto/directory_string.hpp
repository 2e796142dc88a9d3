#pragma once
#include <optional>
#include <string>

#include "core/crypto/der.hpp"

namespace postern::crypto {

/// UTF8String, PrintableString, IA5String, T61String (read as Latin-1, as everybody wrote it) or
/// BMPString as UTF-8. Nullopt for other tags, broken encodings and an embedded NUL.
std::optional<std::string> directory_string(const der::Element& e);

/// The characters of a PrintableString (X.680 §41.4).
bool is_printable_string(std::string_view text) noexcept;

}  // namespace postern::crypto
