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
/// Why `text` is no local@domain in ASCII (RFC 5280 §4.2.1.6), or empty.
std::string why_no_mailbox(std::string_view text);
/// Why `text` is no absolute URI in ASCII, or empty.
std::string why_no_uri(std::string_view text);

}  // namespace postern::ca::text_rules
