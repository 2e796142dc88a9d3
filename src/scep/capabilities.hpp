#pragma once
#include <string>

#include "scep/policy.hpp"

namespace postern::scep {

/// The body of GetCACaps (RFC 8894 §3.5.2), text/plain: what policy lets a message use, one keyword a line,
/// separated by LF alone and without a space, since Apple's tool compares whole lines. Never "Update",
/// which goes with the message type 18 that is refused.
/// @param successor whether GetNextCACert has something to give.
std::string capabilities(const MessagePolicy& policy, bool successor);

}  // namespace postern::scep
