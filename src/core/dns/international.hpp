#pragma once
#include <optional>
#include <string>
#include <string_view>

/// International labels as DNS carries them: "xn--" and Punycode, lower case.
namespace postern::dns {

/// Why nobody should get a certificate for this A-label, or nothing: it is none by IDNA 2008
/// (RFC 5891 §5.3, §5.4: Punycode that decodes, NFC, permitted characters in their context), or it
/// mixes scripts that nobody writes together (UTS 39 §5.2, "highly restrictive"; V12).
std::optional<std::string> why_no_a_label(std::string_view label);

/// Whether all letters of this A-label, of another script, can be taken for ASCII ones, as those of
/// a Cyrillic "аррӏе" can. False for what is no A-label.
bool looks_like_ascii(std::string_view label);

}  // namespace postern::dns
