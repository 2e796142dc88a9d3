#include "core/crypto/jwk.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/curves.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using core::ProblemKind;
using crypto::KeySpec;
using crypto::KeyType;
using crypto::PrivateKey;
using crypto::SignatureAlgorithm;
using test::contains;
using test::refusal;

namespace {

// RFC 7515 A.3.1
const std::string es256_x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const std::string es256_y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
// RFC 7638 §3.1
const std::string rsa_n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9y"
    "BXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu"
    "0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
// RFC 8037 A.2
const std::string ed_x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// R and S of a signature in JOSE form.
struct Halves {
    core::Bytes r, s;
    explicit Halves(const core::Bytes& signature)
        : r(signature.begin(), signature.begin() + static_cast<std::ptrdiff_t>(signature.size() / 2)),
          s(signature.begin() + static_cast<std::ptrdiff_t>(signature.size() / 2), signature.end()) {}
};
core::Bytes joined(core::BytesView a, core::BytesView b) {
    core::Bytes out = core::to_bytes(a);
    out.insert(out.end(), b.begin(), b.end());
    return out;
}

/// Signs until R and S begin with a zero octet, or do not, as wanted: on P-521 one in four does.
Halves signature_with(const PrivateKey& key, SignatureAlgorithm algorithm, core::BytesView data, bool zero_r, bool zero_s) {
    for (int i = 0; i < 100'000; ++i) {
        const Halves halves(key.sign_jose(algorithm, data));
        if ((halves.r.front() == 0) == zero_r && (halves.s.front() == 0) == zero_s) return halves;
    }
    throw std::runtime_error("no such signature in 100,000");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_jwk)

BOOST_AUTO_TEST_CASE(rfc7638_example_has_its_thumbprint) {
    const auto jwk = crypto::parse_jwk(R"({"kty":"RSA","n":")" + rsa_n + R"(","e":"AQAB","use":"sig","alg":"RS256","kid":"2011-04-29"})");
    BOOST_REQUIRE(jwk.has_value());
    BOOST_TEST(jwk->thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    BOOST_TEST(jwk->canonical == R"({"e":"AQAB","kty":"RSA","n":")" + rsa_n + R"("})");
    BOOST_TEST((jwk->key.type() == KeyType::rsa));
    BOOST_TEST(jwk->key.bits() == 2048U);
}

BOOST_AUTO_TEST_CASE(rfc8037_examples_hold) {
    const auto jwk = crypto::parse_jwk(R"({"kty":"OKP","crv":"Ed25519","x":")" + ed_x + R"("})");
    BOOST_REQUIRE(jwk.has_value());
    BOOST_TEST(jwk->thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    const auto input = core::as_bytes("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    const auto signature = test::unbase64url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    BOOST_TEST(jwk->key.verify_jose(SignatureAlgorithm::ed25519, input, signature));
    core::Bytes changed = signature;
    changed[5] ^= 1;
    BOOST_TEST(!jwk->key.verify_jose(SignatureAlgorithm::ed25519, input, changed));
}

BOOST_AUTO_TEST_CASE(rfc7515_example_of_es256_verifies) {
    const auto jwk = crypto::parse_jwk(R"({"kty":"EC","crv":"P-256","x":")" + es256_x + R"(","y":")" + es256_y + R"("})");
    BOOST_REQUIRE(jwk.has_value());
    const auto input = core::as_bytes(
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
    const auto signature = test::unbase64url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    BOOST_TEST(jwk->key.verify_jose(SignatureAlgorithm::ecdsa_sha256, input, signature));
    BOOST_TEST(!jwk->key.verify_jose(SignatureAlgorithm::ecdsa_sha384, input, signature));
    BOOST_TEST(!jwk->key.verify_jose(SignatureAlgorithm::rsa_sha256, input, signature));
    BOOST_TEST(!jwk->key.verify_jose(SignatureAlgorithm::ecdsa_sha256, core::as_bytes("other"), signature));
}

BOOST_AUTO_TEST_CASE(our_own_canonical_form_is_read_back) {
    for (const auto& spec : {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::ec_p384, 384), KeySpec(KeyType::ec_p521, 521),
                             KeySpec(KeyType::ed25519, 256), KeySpec(KeyType::rsa, 2048)}) {
        const PrivateKey key = PrivateKey::generate(spec);
        const auto jwk = crypto::parse_jwk(crypto::to_jwk(key.public_key()));
        BOOST_REQUIRE(jwk.has_value());
        BOOST_TEST(jwk->canonical == crypto::to_jwk(key.public_key()));
        BOOST_TEST((jwk->key.spki() == key.public_key().spki()));
        BOOST_TEST(jwk->thumbprint.size() == 43U);
    }
}

BOOST_AUTO_TEST_CASE(bad_public_keys_are_told_from_bad_json) {
    const std::string ec = R"({"kty":"EC","crv":"P-256","x":")" + es256_x + R"(","y":")" + es256_y + "\"";
    const std::string rsa = R"({"kty":"RSA","n":")" + rsa_n + "\"";
    const std::tuple<std::string, ProblemKind, std::string_view> table[] = {
        {ec + R"(,"d":"AQ"})", ProblemKind::bad_public_key, "private or symmetric member \"d\": this key is disclosed"},
        {rsa + R"(,"e":"AQAB","p":"AQ"})", ProblemKind::bad_public_key, "member \"p\""},
        {R"({"kty":"oct","k":"AQ"})", ProblemKind::bad_public_key, "member \"k\""},
        {R"({"kty":"oct"})", ProblemKind::bad_public_key, "use EC, RSA or OKP"},
        {R"({"kty":"EC","crv":"P-256","x":")" + es256_x + R"(","y":")" + es256_x + "\"}", ProblemKind::bad_public_key, "not on P-256"},
        {R"({"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"})", ProblemKind::bad_public_key, "32 octets each"},
        {R"({"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"})", ProblemKind::bad_public_key, "\"secp256k1\" is not supported"},
        {R"({"kty":"OKP","crv":"X25519","x":")" + ed_x + "\"}", ProblemKind::bad_public_key, "only Ed25519"},
        {R"({"kty":"OKP","crv":"Ed25519","x":"AQ"})", ProblemKind::bad_public_key, "32 octets"},
        {rsa + R"(,"e":"AQ"})", ProblemKind::bad_public_key, "exponent must be odd"},
        {R"({"kty":"RSA","n":"AQ","e":"AQAB"})", ProblemKind::bad_public_key, "only 1 bits"},
        {R"({"kty":"RSA","n":"AAAA)" + rsa_n + R"(","e":"AQAB"})", ProblemKind::malformed, "$.n: a number without leading zero"},
        {rsa + R"(,"e":"AAEAAQ"})", ProblemKind::malformed, "$.e"},
        {rsa + R"(,"e":"AQAB="})", ProblemKind::malformed, "$.e: not base64url without padding"},
        {rsa + R"(,"e":65537})", ProblemKind::malformed, "$.e"},
        {rsa + "}", ProblemKind::malformed, "$.e"},
        {R"({"kty":"EC","crv":"P-256","x":"AQ"})", ProblemKind::malformed, "$.y"},
        {R"({"crv":"P-256"})", ProblemKind::malformed, "$.kty"},
        {R"({"kty":null})", ProblemKind::malformed, "$.kty"},
        {rsa + R"(,"e":"AQAB","use":"enc"})", ProblemKind::bad_public_key, "use is \"enc\""},
        {rsa + R"(,"e":"AQAB","use":1})", ProblemKind::malformed, "$.use"},
        {rsa + R"(,"e":"AQAB","alg":"ES256"})", ProblemKind::bad_public_key, "alg \"ES256\" does not go with its key, RSA 2048"},
        {rsa + R"(,"e":"AQAB","alg":"RSA-OAEP"})", ProblemKind::bad_public_key, "alg \"RSA-OAEP\""},
        {rsa + R"(,"e":"AQAB","alg":null})", ProblemKind::malformed, "$.alg"},
        {R"([])", ProblemKind::malformed, "a JWK is a JSON object"},
        {R"({"kty":"EC","kty":"RSA"})", ProblemKind::malformed, "kty"},
    };
    for (const auto& [text, kind, expected] : table) {
        const std::string detail = refusal(crypto::parse_jwk(text), kind);
        BOOST_TEST(contains(detail, expected), text << " gave: " << detail);
    }
}

BOOST_AUTO_TEST_CASE(algorithms_have_jose_names_and_one_curve_each) {
    BOOST_TEST(crypto::jose_algorithms().size() == 5U);
    BOOST_TEST((crypto::jose_algorithm("ES256") == SignatureAlgorithm::ecdsa_sha256));
    BOOST_TEST((crypto::jose_algorithm("EdDSA") == SignatureAlgorithm::ed25519));
    for (const std::string_view name : {"none", "HS256", "RS1", "es256", "PS256", "", "ES256K"}) BOOST_TEST(!crypto::jose_algorithm(name), name);
    const PrivateKey p384 = PrivateKey::generate(KeySpec(KeyType::ec_p384, 384));
    BOOST_TEST(crypto::fits(SignatureAlgorithm::ecdsa_sha384, p384.public_key()));
    BOOST_TEST(!crypto::fits(SignatureAlgorithm::ecdsa_sha256, p384.public_key()));
    BOOST_TEST(!crypto::fits(SignatureAlgorithm::ed25519, p384.public_key()));
    BOOST_TEST(!crypto::fits(SignatureAlgorithm::rsa_sha256, p384.public_key()));
    BOOST_CHECK_THROW(static_cast<void>(p384.sign_jose(SignatureAlgorithm::ecdsa_sha256, {})), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(lost_leading_zeros_are_put_back) {
    const auto algorithm = SignatureAlgorithm::ecdsa_sha512;
    const PrivateKey key = PrivateKey::generate(KeySpec(KeyType::ec_p521, 521));
    const auto data = core::as_bytes("data");
    const auto verifies = [&](const core::Bytes& signature) { return key.public_key().verify_jose(algorithm, data, signature); };
    const auto tail = [](const core::Bytes& bytes) { return core::BytesView(bytes).subspan(1); };

    const Halves r_short = signature_with(key, algorithm, data, true, false);
    BOOST_TEST(verifies(joined(r_short.r, r_short.s)));
    BOOST_TEST(verifies(joined(tail(r_short.r), r_short.s)));
    const Halves s_short = signature_with(key, algorithm, data, false, true);
    BOOST_TEST(verifies(joined(s_short.r, tail(s_short.s))));
    const Halves both = signature_with(key, algorithm, data, true, true);
    BOOST_TEST(verifies(joined(tail(both.r), tail(both.s))));

    const Halves whole = signature_with(key, algorithm, data, false, false);
    BOOST_TEST(!verifies(joined(tail(whole.r), whole.s)));
    BOOST_TEST(!verifies(joined(whole.r, tail(whole.s))));
    BOOST_TEST(!verifies(joined(core::BytesView(both.r).subspan(2), tail(both.s))));
}

BOOST_AUTO_TEST_CASE(short_es256_signatures_of_apple_verify) {
    const PrivateKey key = PrivateKey::generate(KeySpec(KeyType::ec_p256, 256));
    const auto data = core::as_bytes("data");
    const Halves halves = signature_with(key, SignatureAlgorithm::ecdsa_sha256, data, true, false);
    const core::Bytes signature = joined(core::BytesView(halves.r).subspan(1), halves.s);
    BOOST_TEST(signature.size() == 63U);
    BOOST_TEST(key.public_key().verify_jose(SignatureAlgorithm::ecdsa_sha256, data, signature));
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_and_other_lengths_are_refused) {
    for (const auto& spec : {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::ec_p384, 384), KeySpec(KeyType::ec_p521, 521)}) {
        const PrivateKey key = PrivateKey::generate(spec);
        const auto algorithm = key.default_algorithm();
        const auto data = core::as_bytes("data");
        const crypto::Curve& curve = *crypto::curve_of(spec.type);
        const Halves good(key.sign_jose(algorithm, data));
        const core::Bytes zero(curve.width);
        const core::Bytes order = core::to_bytes(curve.order);
        const core::Bytes largest(curve.width, 0xff);
        core::Bytes longer = joined(good.r, good.s);
        longer.insert(longer.begin(), 0);
        const core::Bytes refused[] = {joined(zero, good.s), joined(good.r, zero),  joined(zero, zero), joined(order, good.s),
                                       joined(good.r, order), joined(largest, good.s), longer,             joined(good.r, joined(good.s, good.s)),
                                       core::Bytes(),         core::Bytes(1),       core::Bytes(curve.width), key.sign(algorithm, data)};
        for (const auto& signature : refused)
            BOOST_TEST(!key.public_key().verify_jose(algorithm, data, signature), spec.to_string() << " accepted " << core::hex(signature));
        BOOST_TEST(key.public_key().verify_jose(algorithm, data, joined(good.r, good.s)));
    }
}

BOOST_AUTO_TEST_SUITE_END()
