#pragma once
#include <string_view>

namespace postern::dns {

/// Whether many owners register names directly below this one: "com", "co.uk", "github.io", and any
/// single label (publicsuffix.org, both sections). The list is the newer one of libpsl's own and
/// Debian's package publicsuffix at the start. `name`: lower-case A-labels, no final dot.
bool is_public_suffix(std::string_view name);

}  // namespace postern::dns
