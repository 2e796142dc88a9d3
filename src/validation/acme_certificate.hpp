#pragma once
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "validation/validator.hpp"

namespace postern::validation {

/// Whether this certificate (DER) is the one that answers a tls-alpn-01 challenge (RFC 8737 §3, RFC 8738 §6): self-signed, with the
/// identifier as its only alternative name, and the digest of the key authorization in a critical acmeIdentifier.
/// `incorrect_response` says what is wrong with it.
core::Result<void> check_acme_certificate(core::BytesView der, const Question& question);

}  // namespace postern::validation
