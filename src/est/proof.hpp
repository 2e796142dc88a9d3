#pragma once
#include "core/crypto/csr.hpp"
#include "est/parts.hpp"

namespace postern::est {

/// Linking identity and proof of possession (RFC 7030 §3.5): a challengePassword in the request is the binding of this very
/// TLS connection. Errors: malformed, "proof.binding".
core::Result<void> check_proof(const Call& call, const crypto::Csr& csr);

}  // namespace postern::est
