#include "est/parts.hpp"

namespace postern::est {

/// RFC 7030 §4.5.2: nothing is asked for. Without a body: BouncyCastle takes no other 204.
core::Task<http::Response> csrattrs(Parts&, const Call&) { co_return http::Response(204); }

}  // namespace postern::est
