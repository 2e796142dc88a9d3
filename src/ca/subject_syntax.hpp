#pragma once
#include <string>

#include "core/crypto/name.hpp"

namespace postern::ca {

/// Why the text of a subject attribute is outside the attribute's own syntax, or empty: upper bounds in characters, PrintableString, IA5String
/// (RFC 5280 appendix A.1). Also of a request whose subject nobody certifies: of the lints only what no request can say.
std::string why_no_subject_syntax(const crypto::DnEntry& entry);

}  // namespace postern::ca
