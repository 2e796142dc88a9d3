// crypto::parse_jwk: a key has one JWK, one thumbprint and one SubjectPublicKeyInfo.
#include "core/crypto/jwk.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/json/writer.hpp"
#include "tests/fuzz/property.hpp"

namespace postern::fuzz {
namespace {

/// RFC 7638 §3.2: the required members alone, in lexicographic order, no white space.
void check_canonical(std::string_view canonical, const json::Value& sent) {
    const auto document = json::Document::parse(canonical);
    require(document.has_value(), "the canonical form is JSON");
    json::Writer w;
    w.begin_object();
    std::string_view before;
    for (const auto& [name, value] : document->root().members()) {
        require(before < name, "canonical members are in lexicographic order");
        before = name;
        const auto text = value.string();
        require(text.has_value(), "canonical members are strings");
        w.member(name, *text);
        const auto as_sent = sent[name].string();
        require(as_sent && *as_sent == *text, "each canonical member is the one that was sent: a key has one spelling");
    }
    require(w.end_object().take() == canonical, "the canonical form has no white space");
}

}  // namespace

Outcome jwk(core::BytesView input) {
    const std::string_view text = core::as_text(input);
    const auto parsed = crypto::parse_jwk(text);
    if (!parsed) {
        const auto kind = parsed.error().kind;
        require(kind == core::ProblemKind::malformed || kind == core::ProblemKind::bad_public_key, "a refusal is malformed or bad_public_key");
        require(!parsed.error().detail.empty(), "a refusal says why");
        return Outcome::refused;
    }
    const auto document = json::Document::parse(text);
    for (const std::string_view name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
        require(!document->root().contains(name), "no private member is accepted");
    const json::Value use = document->root()["use"], alg = document->root()["alg"];
    require(!use.exists() || use.string().value() == "sig", "a key that signs is for signatures");
    const auto algorithm = alg.exists() ? crypto::jose_algorithm(alg.string().value()) : std::nullopt;
    require(!alg.exists() || (algorithm && crypto::fits(*algorithm, parsed->key)), "a key's algorithm is its own");
    check_canonical(parsed->canonical, document->root());
    require(parsed->thumbprint == core::base64url(crypto::sha256(parsed->canonical)), "the thumbprint is of the canonical form");
    require(parsed->thumbprint.size() == 43, "a thumbprint has 43 characters");

    const auto again = crypto::parse_jwk(parsed->canonical);
    require(again && again->canonical == parsed->canonical && again->key.spki() == parsed->key.spki(), "the canonical form reads as the same key");
    const auto from_spki = crypto::PublicKey::from_spki(parsed->key.spki(), crypto::KeyUse::account);
    require(from_spki && from_spki->type() == parsed->key.type() && from_spki->bits() == parsed->key.bits() &&
                crypto::to_jwk(*from_spki) == parsed->canonical,
            "the SubjectPublicKeyInfo reads as the same key");
    const auto fitting = std::ranges::count_if(crypto::jose_algorithms(), [&](const auto& a) { return crypto::fits(a.algorithm, parsed->key); });
    require(fitting == 1, "exactly one algorithm goes with a key");
    return Outcome::accepted;
}

}  // namespace postern::fuzz
