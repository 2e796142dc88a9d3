#pragma once
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/certificate.hpp"

namespace postern::crypto {

/// What a certificate's path is built from. Nothing in it has been checked.
struct PathMaterial {
    PathMaterial() = default;
    Certificate leaf;
    std::vector<Certificate> sent;      ///< came with it: never trusted
    std::vector<Certificate> declared;  ///< by an operator: roots, and issuers on the way
    int most_issuers = 10;              ///< between leaf and anchor
};

/// The issuers of `leaf`, from its own to the trust anchor, as OpenSSL builds and validates the path (RFC 5280 §6) at `now`:
/// signatures, dates of the issuers (the leaf's are the caller's), CA flags, path lengths, key usage, name constraints, 112
/// bits of security, and no critical extension that is unknown. A declared root ends it; a declared issuer only where no path leads to a
/// declared root. Errors: malformed, with the certificate and what is wrong with it.
core::Result<std::vector<Certificate>> verified_path(const PathMaterial& material, core::TimePoint now);

}  // namespace postern::crypto
