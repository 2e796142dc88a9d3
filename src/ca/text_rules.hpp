#pragma once
#include <optional>
#include <string>
#include <string_view>

/// Small predicates on text in certificates, shared by the lints of subject and names.
namespace postern::ca::text_rules {

/// Characters; nullopt for ill-formed UTF-8 (overlong, surrogates, beyond U+10FFFF).
std::optional<std::size_t> utf8_length(std::string_view text) noexcept;
/// C0, DEL, C1, line and paragraph separators, zero-width and direction marks (X10). `text` is UTF-8.
bool has_control_or_direction_mark(std::string_view text) noexcept;
/// "&amp;", "&#38;": text that went through a web form's escaping.
bool has_html_entity(std::string_view text) noexcept;
/// X.680 §41.4
bool is_printable_string(std::string_view text) noexcept;
/// Why `text` is no mailbox of at most 254 octets (RFC 5321 §4.1.2's Dot-string, RFC 5280 §4.2.1.6), or empty.
std::string why_no_mailbox(std::string_view text);
/// Why `text` is no absolute URI (RFC 3986) of at most 2048 octets, or empty. None has user information, or segments
/// "." and "..": who compares beginnings would be led elsewhere.
std::string why_no_uri(std::string_view text);
/// Why `text` is no name@suffix of Windows of at most 256 octets, or empty. The suffix is a DNS name or one label of such.
std::string why_no_principal_name(std::string_view text);

}  // namespace postern::ca::text_rules
