#pragma once
#include "core/base/result.hpp"
#include "est/parts.hpp"

namespace postern::est {

/// Checks of the HTTP message itself, for which HTTP has a status of its own.
inline constexpr std::string_view media_type_check = "est.media_type", size_check = "est.size";

/// What a client reads for a refusal (est.md §1.3).
unsigned status_of(const core::Problem& problem) noexcept;

/// Clients read digits only, and some come back as soon as they are told.
inline constexpr std::chrono::seconds soonest{30}, latest{86'400};
std::string retry_after(std::chrono::seconds wait);

/// "403 names.scope: … (ref …)", one line of text (RFC 8951 §5), with WWW-Authenticate where nobody was proven and
/// Retry-After where the same request may succeed later.
http::Response refusal(const http::Request& request, std::string_view realm, const core::Problem& problem);
http::Response refusal(const Call& call, const core::Problem& problem);

}  // namespace postern::est
