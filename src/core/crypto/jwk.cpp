#include "core/crypto/jwk.hpp"

#include <array>

#include "core/base/encoding.hpp"
#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/digest.hpp"
#include "core/crypto/rsa_numbers.hpp"

namespace postern::crypto {
namespace {

using core::Bytes;
using core::BytesView;
using core::Problem;
using core::ProblemKind;

constexpr std::array<JoseAlgorithm, 5> algorithms{{{"ES256", SignatureAlgorithm::ecdsa_sha256},
                                                   {"ES384", SignatureAlgorithm::ecdsa_sha384},
                                                   {"ES512", SignatureAlgorithm::ecdsa_sha512},
                                                   {"RS256", SignatureAlgorithm::rsa_sha256},
                                                   {"EdDSA", SignatureAlgorithm::ed25519}}};

/// RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2.
constexpr std::array<std::string_view, 8> private_members{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

/// A required member of base64url.
core::Result<Bytes> octets(const json::Value& object, std::string_view name) {
    const json::Value member = object[name];
    const auto text = member.string();
    if (!text) return text.error();
    auto decoded = core::from_base64url(*text);
    if (!decoded) return member.problem("not base64url without padding (RFC 7515 §2)");
    return std::move(*decoded);
}

/// Base64urlUInt of RFC 7518 §2: the fewest octets. The thumbprint is taken over the text, so a
/// second spelling of the same key would be a second account.
core::Result<Bytes> number(const json::Value& object, std::string_view name) {
    auto value = octets(object, name);
    if (value && (value->empty() || value->front() == 0))
        return object[name].problem("a number without leading zero octets is wanted (RFC 7518 §2)");
    return value;
}

core::Result<PublicKey> ec_key(const json::Value& object) {
    const auto crv = object["crv"].string();
    if (!crv) return crv.error();
    const Curve* curve = curve_by_name(*crv);
    if (curve == nullptr)
        return Problem(ProblemKind::bad_public_key, "the JWK's curve \"" + std::string(*crv) + "\" is not supported; use P-256, P-384 or P-521");
    const auto x = octets(object, "x");
    if (!x) return x.error();
    const auto y = octets(object, "y");
    if (!y) return y.error();
    return PublicKey::from_ec_point(curve->type, *x, *y, KeyUse::account);
}

core::Result<PublicKey> rsa_key(const json::Value& object) {
    const auto n = number(object, "n");
    if (!n) return n.error();
    const auto e = number(object, "e");
    if (!e) return e.error();
    return PublicKey::from_rsa(*n, *e, KeyUse::account);
}

core::Result<PublicKey> okp_key(const json::Value& object) {
    const auto crv = object["crv"].string();
    if (!crv) return crv.error();
    if (*crv != "Ed25519")
        return Problem(ProblemKind::bad_public_key, "the JWK's curve \"" + std::string(*crv) + "\" is not supported; of kty OKP only Ed25519 is");
    const auto x = octets(object, "x");
    if (!x) return x.error();
    return PublicKey::from_ed25519(*x);
}

core::Result<PublicKey> key_of(const json::Value& object) {
    const auto kty = object["kty"].string();
    if (!kty) return kty.error();
    if (*kty == "EC") return ec_key(object);
    if (*kty == "RSA") return rsa_key(object);
    if (*kty == "OKP") return okp_key(object);
    return Problem(ProblemKind::bad_public_key, "the JWK's kty \"" + std::string(*kty) + "\" is no public key we know; use EC, RSA or OKP");
}

/// What the sender says the key is for, where it says so (RFC 7517 §4.2, §4.4): signatures, with the
/// algorithm of such keys.
std::optional<Problem> check_purpose(const json::Value& object, const PublicKey& key) {
    const auto use = object["use"].optional_string();
    if (!use) return use.error();
    if (*use && **use != "sig")
        return Problem(ProblemKind::bad_public_key, "the JWK's use is \"" + std::string(**use) + "\"; a key that signs has use \"sig\" or none");
    const auto alg = object["alg"].optional_string();
    if (!alg) return alg.error();
    if (!*alg) return std::nullopt;
    const auto algorithm = jose_algorithm(**alg);
    if (!algorithm || !fits(*algorithm, key))
        return Problem(ProblemKind::bad_public_key, "the JWK's alg \"" + std::string(**alg) + "\" does not go with its key, " +
                                                        describe(key.type(), key.bits()));
    return std::nullopt;
}

}  // namespace

std::span<const JoseAlgorithm> jose_algorithms() noexcept { return algorithms; }

std::optional<SignatureAlgorithm> jose_algorithm(std::string_view name) noexcept {
    for (const auto& known : algorithms)
        if (known.name == name) return known.algorithm;
    return std::nullopt;
}

bool fits(SignatureAlgorithm a, const PublicKey& key) noexcept {
    switch (a) {
        case SignatureAlgorithm::ecdsa_sha256: return key.type() == KeyType::ec_p256;
        case SignatureAlgorithm::ecdsa_sha384: return key.type() == KeyType::ec_p384;
        case SignatureAlgorithm::ecdsa_sha512: return key.type() == KeyType::ec_p521;
        case SignatureAlgorithm::ed25519: return key.type() == KeyType::ed25519;
        case SignatureAlgorithm::rsa_sha256:
        case SignatureAlgorithm::rsa_sha384:
        case SignatureAlgorithm::rsa_sha512: return key.type() == KeyType::rsa;
    }
    return false;
}

core::Result<Jwk> parse_jwk(const json::Value& object) {
    if (!object.is_object()) return object.problem("a JWK is a JSON object");
    for (const auto name : private_members)
        if (object.contains(name))
            return Problem(ProblemKind::bad_public_key,
                           "the JWK holds the private or symmetric member \"" + std::string(name) +
                               "\": this key is disclosed; make a new one and send its public members only");
    auto key = key_of(object);
    if (!key) return key.error();
    if (auto problem = check_purpose(object, *key)) return *std::move(problem);
    Jwk jwk;
    jwk.key = std::move(*key);
    jwk.canonical = to_jwk(jwk.key);
    jwk.thumbprint = core::base64url(sha256(jwk.canonical));
    return jwk;
}

core::Result<Jwk> parse_jwk(std::string_view json_text) {
    const auto document = json::Document::parse(json_text);
    if (!document) return document.error();
    return parse_jwk(document->root());
}

std::string to_jwk(const PublicKey& key) {
    const BytesView spki(key.spki());
    if (const Curve* curve = curve_of(key.type())) {
        const BytesView point = spki.last(2 * curve->width);
        return R"({"crv":")" + std::string(curve->name) + R"(","kty":"EC","x":")" + core::base64url(point.first(curve->width)) +
               R"(","y":")" + core::base64url(point.last(curve->width)) + R"("})";
    }
    if (key.type() == KeyType::ed25519) return R"({"crv":"Ed25519","kty":"OKP","x":")" + core::base64url(spki.last(32)) + R"("})";
    der::Reader outer(spki);
    der::Reader fields(outer.next(der::sequence).value().content);
    fields.next();
    const auto numbers = rsa_numbers(der::whole_octets(fields.next().value()).value());
    return R"({"e":")" + core::base64url(numbers.value().e) + R"(","kty":"RSA","n":")" + core::base64url(numbers.value().n) + R"("})";
}

}  // namespace postern::crypto
