#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

/// Security identifiers of Windows in certificates ("strong mapping", KB5014754): whoever has one in a certificate is
/// that account to a domain controller.
namespace postern::crypto {

constexpr std::string_view oid_security_identifier = "1.3.6.1.4.1.311.25.2";  ///< the extension (MS-WCCE szOID_NTDS_CA_SECURITY_EXT)
constexpr std::string_view security_identifier_uri_prefix = "tag:microsoft.com,2022-09-14:sid:";

/// "S-1-5-21-", the three numbers of a domain and that of an account, each 0 to 4294967295 in decimal without leading zeros.
bool is_security_identifier(std::string_view text) noexcept;

/// The identifier in a URI of strong mapping, octet for octet; nullopt for every other text.
std::optional<std::string_view> security_identifier_in(std::string_view uri) noexcept;

/// Whether somebody could read `text` as such a URI: in any letter case, percent-encoded (more than once, too), in
/// full-width letters, with spaces or invisible characters in between, with anything around it.
bool resembles_security_identifier(std::string_view text);

/// The value of the extension: GeneralNames of one otherName 1.3.6.1.4.1.311.25.2.1, the text in an OCTET STRING.
core::Bytes security_identifier_extension(std::string_view identifier);

}  // namespace postern::crypto
