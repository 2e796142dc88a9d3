#pragma once
#include <optional>
#include <string_view>

#include "core/base/bytes.hpp"

/// What identifies a certificate, as people and tools write it: hexadecimal digits of either case, with or without colons and "0x" in front.
namespace postern::crypto {

/// A serial number, with or without leading zeros. Its magnitude, as Certificate::serial(); nullopt: none, zero, or of more than 20 octets
/// (RFC 5280 §4.1.2.2).
std::optional<core::Bytes> serial_from_text(std::string_view text);
/// A key identifier of 20 octets (RFC 5280 §4.2.1.2, the first method).
std::optional<core::Bytes> key_id_from_text(std::string_view text);
/// A SHA-256.
std::optional<core::Bytes> sha256_from_text(std::string_view text);

}  // namespace postern::crypto
