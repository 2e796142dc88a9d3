#pragma once
#include "core/base/secret.hpp"
#include "core/http/message.hpp"
#include "est/basic.hpp"

namespace postern::est {

/// What a request's Authorization header says.
struct Authorization {
    Authorization() = default;
    enum class Scheme { none, basic, bearer };
    Scheme scheme = Scheme::none;
    Basic basic;
    core::SecretText token;  ///< of RFC 6750
};

/// Errors: malformed for two headers, of which somebody on the way may have judged the other; unauthenticated for a scheme that is
/// neither (Digest, NTLM and Negotiate are not offered) or that cannot be read. No value is repeated.
core::Result<Authorization> read_authorization(const http::Request& request);

/// Whether the request came with a token, whatever became of it.
bool speaks_bearer(const http::Request& request) noexcept;

}  // namespace postern::est
