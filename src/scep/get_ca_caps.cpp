#include "scep/capabilities.hpp"
#include "scep/parts.hpp"

namespace postern::scep {

/// RFC 8894 §3.5.1
http::Response get_ca_caps(const Parts& parts, const Call& call) { return {200, "text/plain", capabilities(call.policy, successor_of(parts, call).has_value())}; }

}  // namespace postern::scep
