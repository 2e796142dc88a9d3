#pragma once
#include <string>

#include "core/http/message.hpp"

/// Clients that run in a browser (RFC 8555 §6.1). Nothing here rests on cookies or on where a request comes from: each proves
/// itself by its signature, so that any origin may ask.
namespace postern::acme {

/// Any origin may read the answer, and the headers of it that the protocol needs.
void allow_any_origin(http::Response& response);
/// What a browser asks before it sends a JWS to another origin; `methods` are the path's.
http::Response preflight(const std::string& methods);

}  // namespace postern::acme
