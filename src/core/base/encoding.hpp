#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

/// Text forms of octets. Decoders are strict: nothing outside the alphabet, no white space.
namespace postern::core {

/// Lower case, two digits an octet.
std::string hex(BytesView bytes);
/// Accepts both cases; an odd length or a foreign character gives nullopt.
std::optional<Bytes> from_hex(std::string_view text);

/// RFC 4648 §5 without padding, as JOSE wants it (RFC 7515 §2).
std::string base64url(BytesView bytes);
/// Refuses padding, foreign characters and non-zero trailing bits (J09).
std::optional<Bytes> from_base64url(std::string_view text);

/// RFC 4648 §4 with padding, no line breaks.
std::string base64(BytesView bytes);
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace postern::core
