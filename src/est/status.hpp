#pragma once
#include "core/base/result.hpp"
#include "est/parts.hpp"

namespace postern::est {

/// What a client reads for a refusal (est.md §1.3).
unsigned status_of(core::ProblemKind kind) noexcept;

/// "403 names.scope: … (ref …)", one line of text (RFC 8951 §5), with WWW-Authenticate where nobody was proven and
/// Retry-After where the same request may succeed later.
http::Response refusal(const http::Request& request, std::string_view realm, const core::Problem& problem);
http::Response refusal(const Call& call, const core::Problem& problem);

}  // namespace postern::est
