#pragma once
#include "core/crypto/csr.hpp"
#include "est/parts.hpp"

/// Linking identity and proof of possession (RFC 7030 §3.5, RFC 7894): what a request says of the connection, or of its sender,
/// that its signature covers. Which profile's rules count is for ra::choose_profile.
namespace postern::est {

/// Whether what stands in the request is the channel binding of this connection: tls-exporter (RFC 9266), or tls-unique
/// (RFC 5929) in TLS 1.2; base64, with one line end behind it or none. Errors: malformed, "proof.binding".
core::Result<void> check_binding(const std::shared_ptr<const http::TlsFacts>& facts, std::string_view given);

/// Each attribute by itself: a challengePassword as the profile says, estIdentityLinking as the binding, otpChallenge refused,
/// revocationChallenge without effect; and the binding there where the profile requires it. `account`: of whoever asks.
/// Errors: malformed ("proof.binding", "proof.attributes", "proof.password"), rate_limited, unavailable.
core::Task<core::Result<void>> check_proof(Parts& parts, const Call& call, const ra::Profile& profile, ra::Account account, const crypto::Csr& csr);

}  // namespace postern::est
