#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace postern::crypto {

/// What a challengePassword was used for, each with an attribute of its own (RFC 7894 §3); nullopt: absent.
struct LinkingAttributes {
    LinkingAttributes() = default;
    std::optional<std::string> otp_challenge;         ///< a one-time secret for this request
    std::optional<std::string> revocation_challenge;  ///< a secret for revoking the certificate later
    std::optional<std::string> est_identity_linking;  ///< the channel binding of the TLS connection
};

/// How the key that an EST server makes is to be encrypted (RFC 7030 §4.4.1).
struct KeyDelivery {
    KeyDelivery() = default;
    std::optional<core::Bytes> symmetric_key, asymmetric_key;  ///< DecryptKeyIdentifier, AsymmetricDecryptKeyIdentifier: whose keys
    std::vector<std::string> capabilities;                     ///< SMIMECapabilities (RFC 8551 §2.5.2): dotted OIDs, the preferred first
    [[nodiscard]] bool encrypted() const noexcept { return symmetric_key || asymmetric_key; }
};

/// What the attributes of a PKCS #10 request can say (RFC 2986 §4.1); views are into what was read.
struct RequestAttributes {
    RequestAttributes() = default;
    std::optional<core::BytesView> extensions;
    std::optional<std::string> challenge_password;  ///< may be empty
    LinkingAttributes linking;
    KeyDelivery key_delivery;
    std::vector<core::BytesView> secrets;  ///< octets of what must not be stored
    std::vector<std::string> unread;       ///< OIDs of all others
};

/// `content` is that of the SET. Errors: bad_csr, "the CSR is refused: …": not DER, an attribute that counts twice or with other
/// than one value, text that cannot be read.
core::Result<RequestAttributes> read_request_attributes(core::BytesView content);

}  // namespace postern::crypto
