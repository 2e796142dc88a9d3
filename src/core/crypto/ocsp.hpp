#pragma once
#include <optional>

#include "core/crypto/certificate.hpp"

/// The Online Certificate Status Protocol (RFC 6960), as who asks.
namespace postern::crypto {

/// About one certificate, to whoever answers for its issuer.
struct OcspQuestion {
    OcspQuestion() = default;
    Certificate certificate, issuer;
    core::Bytes nonce;  ///< 1 to 32 octets (RFC 8954), drawn for each question
};

/// OCSPRequest, DER. The certificate is named by SHA-1, which every responder knows (RFC 5019 §2.1.1).
/// Errors: bad_public_key, of the issuer.
core::Result<core::Bytes> ocsp_request(const OcspQuestion& question);

struct OcspAnswer {
    OcspAnswer() = default;
    enum class Status { good, revoked, unknown };
    Status status = Status::unknown;
    std::optional<core::TimePoint> revoked;
    core::TimePoint this_update{};
    std::optional<core::TimePoint> next_update;
};

/// What the response says of the question's certificate, once it is proven: signed by the issuer's key, or by a responder whose
/// certificate the issuer signed for that purpose and is valid; about this very certificate; of today; and with the nonce
/// that was sent, where it has any (most responders answer from a store, without). Whether the responder's own certificate is revoked
/// is not asked. Cost: at most three public-key operations.
/// Errors: malformed; unavailable (the responder says that it cannot answer); unauthenticated with what is not proven.
core::Result<OcspAnswer> read_ocsp_response(core::BytesView response, const OcspQuestion& question, core::TimePoint now);

}  // namespace postern::crypto
