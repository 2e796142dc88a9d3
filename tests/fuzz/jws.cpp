// acme::parse_jws: what parses says again what was sent, octet by octet, and nothing beside it.
#include "acme/jws.hpp"

#include <array>

#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

using acme::ErrorType;

std::string_view cut(std::string_view& rest) {
    const auto nul = std::min(rest.find('\0'), rest.size());
    const auto part = rest.substr(0, nul);
    rest.remove_prefix(std::min(nul + 1, rest.size()));
    return part;
}

/// A body as it is, or "header NUL payload NUL signature" in the clear: mutations of JSON inside
/// base64url would nearly all end at the base64url.
std::string body_of(std::string_view input) {
    if (input.find('\0') == std::string_view::npos) return std::string(input);
    json::Writer w;
    w.begin_object();
    for (const std::string_view name : {"protected", "payload", "signature"})
        w.member(name, core::base64url(core::as_bytes(cut(input))));
    return w.end_object().take();
}

std::string text_of(const json::Value& object, std::string_view name) { return std::string(object[name].string().value()); }

void check_refusal(const acme::Error& e) {
    require(e.type == ErrorType::malformed || e.type == ErrorType::bad_signature_algorithm, "a refusal is malformed or badSignatureAlgorithm");
    require(e.status == 400 && !e.detail.empty(), "a refusal has its status and says why");
    require((e.type == ErrorType::bad_signature_algorithm) == !e.algorithms.empty(), "a wrong algorithm comes with those that would do");
}

/// RFC 8555 §6.2, §6.5; rows J01, J06 of tests/abuse.
void check_header(const acme::Jws& jws) {
    const json::Value header = jws.parts.header.root();
    for (const std::string_view name : {"crit", "b64", "x5u", "jku"})
        require(!header.contains(name), "no header member that redirects the signature is accepted");
    require(header.contains("jwk") != header.contains("kid"), "exactly one of jwk and kid");
    require(jws.has_jwk == header.contains("jwk") && jws.kid.has_value() == header.contains("kid"), "jwk and kid are told truly");
    require(jws.nonce.has_value() == header.contains("nonce"), "the nonce is told truly");
    require(!jws.nonce || (!jws.nonce->empty() && jws.nonce->find_first_of("+/= \r\n") == std::string::npos),
            "a nonce is base64url (RFC 8555 section 6.5.2)");
    require(text_of(header, "alg") == jws.algorithm_name && text_of(header, "url") == jws.url, "alg and url are those of the header");
    require(crypto::jose_algorithm(jws.algorithm_name) == jws.algorithm, "the algorithm is one of ours");
    require(jws.algorithm_name != "none" && !jws.algorithm_name.starts_with("HS"), "neither none nor a MAC");
}

/// Each octet string has one text, so what was signed is what was sent.
void check_parts(const acme::Jws& jws, std::string_view body) {
    const auto document = json::Document::parse(body);
    const json::Value root = document.value().root();
    require(!root.contains("header") && !root.contains("signatures"), "flattened, with a protected header only");
    const std::string sent_header = text_of(root, "protected"), sent_payload = text_of(root, "payload");
    require(jws.parts.signing_input == sent_header + "." + sent_payload, "the signing input is what was sent");
    require(core::base64url(core::from_base64url(sent_header).value()) == sent_header, "the header has one text");
    require(core::base64url(core::as_bytes(jws.parts.payload)) == sent_payload, "the payload has one text");
    require(core::base64url(jws.parts.signature) == text_of(root, "signature"), "the signature has one text");
    require(!jws.parts.signature.empty(), "there is a signature");

    json::Writer w;
    w.begin_object().member("protected", sent_header).member("payload", sent_payload);
    w.member("signature", core::base64url(jws.parts.signature)).end_object();
    const auto again = acme::parse_jws(w.take());
    require(again && again->parts.signing_input == jws.parts.signing_input && again->parts.payload == jws.parts.payload,
            "the three members alone say the same");
}

}  // namespace

Outcome jws(core::BytesView input) {
    const std::string body = body_of(core::as_text(input));
    auto parsed = acme::parse_jws(body);
    if (!parsed) {
        check_refusal(parsed.error());
        return Outcome::refused;
    }
    check_header(*parsed);
    check_parts(*parsed, body);
    if (!parsed->has_jwk) return Outcome::accepted;
    const auto jwk = parsed->jwk();
    if (!jwk) {
        require(jwk.error().type == ErrorType::bad_public_key || jwk.error().type == ErrorType::malformed, "a JWK is refused as such");
    } else if (acme::verify(*parsed, jwk->key)) {
        require(crypto::fits(parsed->algorithm, jwk->key), "only the key's own algorithm verifies");
        parsed->parts.signing_input.back() ^= 1;
        require(!acme::verify(*parsed, jwk->key), "a signature verifies one text only");
    }
    return Outcome::accepted;
}

}  // namespace postern::fuzz
