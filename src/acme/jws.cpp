#include "acme/jws.hpp"

#include <array>

#include "core/base/encoding.hpp"

namespace postern::acme {

namespace {

/// Header members that change what is signed or where keys come from. None is ours to follow, so a
/// message that has one is refused and nothing is fetched (J06).
constexpr std::array refused_members{"crit", "b64", "x5u", "jku"};

Error malformed(std::string detail) { return {ErrorType::malformed, std::move(detail)}; }

Error bad_algorithm(std::string detail) {
    Error e(ErrorType::bad_signature_algorithm, std::move(detail));
    for (const auto& known : crypto::jose_algorithms()) e.algorithms.push_back(known.name);
    return e;
}

Result<std::string_view> text_member(const json::Value& object, std::string_view name, std::string_view what) {
    const auto text = object[name].string();
    if (!text) return malformed(std::string(what) + ": " + text.error().detail);
    return *text;
}

Result<core::Bytes> decode(std::string_view text, std::string_view name, std::string_view what) {
    auto bytes = core::from_base64url(text);
    if (!bytes)
        return malformed(std::string(what) + ": " + std::string(name) +
                         " is not base64url without padding (RFC 7515 section 2)");
    return std::move(*bytes);
}

/// RFC 8555 §6.5.1: base64url = 1*( ALPHA / DIGIT / "-" / "_" ).
bool is_nonce(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return !text.empty() && text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace

Result<FlattenedJws> parse_flattened(const json::Value& object, std::string_view what) {
    const std::string name(what);
    if (!object.is_object()) return malformed(name + " must be a JSON object in flattened form (RFC 7515 section 7.2.2)");
    if (object.contains("signatures")) return malformed(name + " must have one signature, in flattened form; found \"signatures\"");
    if (object.contains("header")) return malformed(name + " must not have an unprotected header (RFC 8555 section 6.2)");
    const auto protected_text = text_member(object, "protected", what);
    if (!protected_text) return protected_text.error();
    const auto payload_text = text_member(object, "payload", what);
    if (!payload_text) return payload_text.error();
    const auto signature_text = text_member(object, "signature", what);
    if (!signature_text) return signature_text.error();

    const auto header_bytes = decode(*protected_text, "protected", what);
    if (!header_bytes) return header_bytes.error();
    const auto payload = decode(*payload_text, "payload", what);
    if (!payload) return payload.error();
    auto signature = decode(*signature_text, "signature", what);
    if (!signature) return signature.error();

    auto header = json::Document::parse(core::as_text(*header_bytes));
    if (!header) return malformed(name + ": protected header: " + header.error().detail);
    if (!header->root().is_object()) return malformed(name + ": the protected header must be a JSON object");
    for (const std::string_view refused : refused_members)
        if (header->root().contains(refused))
            return malformed(name + ": the header member \"" + std::string(refused) + "\" is not accepted here");

    std::string signing_input;
    signing_input.reserve(protected_text->size() + 1 + payload_text->size());
    signing_input.append(*protected_text).append(1, '.').append(*payload_text);
    return FlattenedJws{std::move(*header), std::string(core::as_text(*payload)), std::move(signing_input),
                        std::move(*signature)};
}

Result<crypto::Jwk> Jws::jwk() const {
    auto jwk = crypto::parse_jwk(parts.header.root()["jwk"]);
    if (!jwk) return to_error(jwk.error());
    return std::move(*jwk);
}

Result<Jws> parse_jws(std::string_view body, std::string_view what) {
    const std::string name(what);
    const auto document = json::Document::parse(body);
    if (!document) return malformed(name + " cannot be read: " + document.error().detail);
    auto parts = parse_flattened(document->root(), what);
    if (!parts) return parts.error();
    const json::Value header = parts->header.root();
    const std::string in_header = name + " header";

    const auto algorithm_name = text_member(header, "alg", in_header);
    if (!algorithm_name) return algorithm_name.error();
    const auto algorithm = crypto::jose_algorithm(*algorithm_name);
    if (!algorithm)
        return bad_algorithm("the algorithm \"" + std::string(*algorithm_name) + "\" is not accepted for account keys");
    // Asked after the algorithm: what `none` signs has none, and is told which algorithms would do.
    if (parts->signature.empty()) return malformed(name + ": the signature is empty");

    const auto url = text_member(header, "url", in_header);
    if (!url) return url.error();
    const auto nonce = header["nonce"].optional_string();
    if (!nonce) return malformed(in_header + ": " + nonce.error().detail);
    // §6.5.2 wants malformed here, not badNonce: a fresh nonce would not help whoever encodes it wrongly.
    if (*nonce && !is_nonce(**nonce)) return malformed(in_header + ": the nonce is not base64url (RFC 8555 section 6.5.2)");
    const auto kid = header["kid"].optional_string();
    if (!kid) return malformed(in_header + ": " + kid.error().detail);
    const bool has_jwk = header.contains("jwk");
    if (has_jwk == kid->has_value())
        return malformed(in_header + (has_jwk ? " has both jwk and kid; exactly one is allowed (RFC 8555 section 6.2)"
                                              : " has neither jwk nor kid; exactly one is needed (RFC 8555 section 6.2)"));

    std::optional<std::string> nonce_text, kid_text;
    if (*nonce) nonce_text.emplace(**nonce);
    if (*kid) kid_text.emplace(**kid);
    std::string url_text(*url), name_text(*algorithm_name);
    return Jws{std::move(*parts), *algorithm, std::move(name_text), std::move(url_text), std::move(nonce_text),
               std::move(kid_text), has_jwk};
}

Result<void> verify(const Jws& jws, const crypto::PublicKey& key, std::string_view what) {
    if (!crypto::fits(jws.algorithm, key))
        return bad_algorithm("the algorithm " + jws.algorithm_name + " does not go with the account's key, " +
                             crypto::describe(key.type(), key.bits()));
    if (!key.verify_jose(jws.algorithm, core::as_bytes(jws.parts.signing_input), jws.parts.signature))
        return malformed(std::string(what) + " signature does not verify with the " + (jws.has_jwk ? "jwk" : "account's key"));
    return {};
}

}  // namespace postern::acme
