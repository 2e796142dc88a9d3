#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "acme/problem.hpp"
#include "core/base/bytes.hpp"
#include "core/crypto/jwk.hpp"
#include "core/json/reader.hpp"

/// Signed messages (RFC 8555 §6.2: RFC 7515 in flattened JSON form and nothing else).
namespace postern::acme {

/// A flattened JWS taken apart; nothing about its signature is known yet.
struct FlattenedJws {
    json::Document header;      ///< the protected header
    std::string payload;        ///< decoded; empty for POST-as-GET (§6.3)
    std::string signing_input;  ///< RFC 7515 §5.1: protected "." payload, as sent
    core::Bytes signature;
};
/// Refuses unprotected headers, several signatures, detached payloads, b64, crit and keys by
/// reference (J06), and base64 that is not strict (J09): malformed. `what` names it in details.
Result<FlattenedJws> parse_flattened(const json::Value& object, std::string_view what);

/// A request's JWS with the header members that §6.2 to §6.5 ask for.
struct Jws {
    FlattenedJws parts;
    crypto::SignatureAlgorithm algorithm{};
    std::string algorithm_name;
    std::string url;
    std::optional<std::string> nonce;
    std::optional<std::string> kid;  ///< exactly one of kid and
    bool has_jwk = false;            ///< jwk

    /// badPublicKey or malformed.
    [[nodiscard]] Result<crypto::Jwk> jwk() const;
};
/// Errors: malformed, badSignatureAlgorithm with the list of those that would do. `what` names it in details.
Result<Jws> parse_jws(std::string_view body, std::string_view what = "the JWS");
/// badSignatureAlgorithm when the algorithm is not the key's, malformed when the signature is wrong.
Result<void> verify(const Jws& jws, const crypto::PublicKey& key, std::string_view what = "the JWS");

}  // namespace postern::acme
