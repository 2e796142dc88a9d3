#include <boost/test/unit_test.hpp>

#include "acme/jws.hpp"
#include "tests/unit/acme/acme_test_client.hpp"

using namespace postern;
using acme::ErrorType;
using test::flattened;
using test::Header;

namespace {

/// RFC 7515 appendix A.3 (ES256) and A.2 (RS256): keys and messages that others made.
constexpr std::string_view es256_jwk =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view payload_a =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view es256_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view rs256_jwk =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr std::string_view rs256_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

std::string message(std::string_view protected_json, std::string_view payload = "e30", std::string_view signature = "AAAA") {
    return R"({"protected":")" + core::base64url(core::as_bytes(protected_json)) + R"(","payload":")" + std::string(payload) +
           R"(","signature":")" + std::string(signature) + "\"}";
}
constexpr std::string_view good_header = R"({"alg":"ES256","kid":"k","nonce":"n","url":"u"})";

struct Refusal {
    const char* name;
    std::string body;
    ErrorType type;
    const char* says;
};

const std::vector<Refusal>& refusals() {
    static const std::vector<Refusal> list{
        {"compact", "eyJ.e30.AAAA", ErrorType::malformed, "not JSON"},
        {"no object", "[]", ErrorType::malformed, "flattened form"},
        {"several signatures", R"({"payload":"","signatures":[]})", ErrorType::malformed, "one signature"},
        {"unprotected header", R"({"protected":"e30","payload":"","signature":"AAAA","header":{}})", ErrorType::malformed, "unprotected"},
        {"detached payload", R"({"protected":"e30","signature":"AAAA"})", ErrorType::malformed, "payload"},
        {"no signature", R"({"protected":"e30","payload":""})", ErrorType::malformed, "signature"},
        {"empty signature", message(good_header, "e30", ""), ErrorType::malformed, "signature is empty"},
        {"duplicate member", R"({"protected":"e30","payload":"","payload":"","signature":"AAAA"})", ErrorType::malformed, "twice"},
        {"padding", message(good_header, "e30="), ErrorType::malformed, "base64url without padding"},
        {"space", message(good_header, "e3 0"), ErrorType::malformed, "base64url"},
        {"trailing bits", message(good_header, "e31"), ErrorType::malformed, "base64url"},
        {"standard alphabet", message(good_header, "e30", "AA+/"), ErrorType::malformed, "signature is not base64url"},
        {"header no JSON", message("alg"), ErrorType::malformed, "protected header"},
        {"header no object", message("[1]"), ErrorType::malformed, "must be a JSON object"},
        {"header duplicate", message(R"({"alg":"ES256","alg":"none"})"), ErrorType::malformed, "twice"},
        {"header too deep", message("{\"a\":" + std::string(17, '[') + std::string(17, ']') + "}"), ErrorType::malformed, "protected header"},
        {"header number out of range", message(R"({"a":1e999})"), ErrorType::malformed, "protected header"},
        {"header lone surrogate", message(R"({"a":"\ud800"})"), ErrorType::malformed, "protected header"},
        {"crit", message(R"({"alg":"ES256","crit":["exp"],"kid":"k","url":"u"})"), ErrorType::malformed, "\"crit\""},
        {"b64", message(R"({"alg":"ES256","b64":false,"kid":"k","url":"u"})"), ErrorType::malformed, "\"b64\""},
        {"x5u", message(R"({"alg":"ES256","x5u":"https://a","kid":"k","url":"u"})"), ErrorType::malformed, "\"x5u\""},
        {"jku", message(R"({"alg":"ES256","jku":"https://a","kid":"k","url":"u"})"), ErrorType::malformed, "\"jku\""},
        {"no alg", message(R"({"kid":"k","url":"u"})"), ErrorType::malformed, "alg"},
        {"alg none", message(R"({"alg":"none","kid":"k","url":"u"})"), ErrorType::bad_signature_algorithm, "\"none\""},
        {"alg HS256", message(R"({"alg":"HS256","kid":"k","url":"u"})"), ErrorType::bad_signature_algorithm, "\"HS256\""},
        {"alg RS1", message(R"({"alg":"RS1","kid":"k","url":"u"})"), ErrorType::bad_signature_algorithm, "\"RS1\""},
        {"no url", message(R"({"alg":"ES256","kid":"k"})"), ErrorType::malformed, "url"},
        {"url no string", message(R"({"alg":"ES256","kid":"k","url":1})"), ErrorType::malformed, "url"},
        {"nonce no string", message(R"({"alg":"ES256","kid":"k","url":"u","nonce":1})"), ErrorType::malformed, "nonce"},
        {"empty nonce", message(R"({"alg":"ES256","kid":"k","url":"u","nonce":""})"), ErrorType::malformed, "nonce is not base64url"},
        {"nonce with padding", message(R"({"alg":"ES256","kid":"k","url":"u","nonce":"AAAA=="})"), ErrorType::malformed, "nonce is not base64url"},
        {"jwk and kid", message(R"({"alg":"ES256","kid":"k","jwk":{},"url":"u"})"), ErrorType::malformed, "both jwk and kid"},
        {"neither", message(R"({"alg":"ES256","url":"u"})"), ErrorType::malformed, "neither jwk nor kid"},
    };
    return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(acme_jws)

BOOST_AUTO_TEST_CASE(rfc_7515_messages_verify_with_their_keys) {
    struct Vector {
        std::string_view jwk, protected_part, signature, name;
    };
    for (const Vector& v : {Vector{es256_jwk, "eyJhbGciOiJFUzI1NiJ9", es256_signature, "ES256"},
                            Vector{rs256_jwk, "eyJhbGciOiJSUzI1NiJ9", rs256_signature, "RS256"}}) {
        const std::string text = R"({"protected":")" + std::string(v.protected_part) + R"(","payload":")" +
                                 std::string(payload_a) + R"(","signature":")" + std::string(v.signature) + "\"}";
        const auto document = json::Document::parse(text);
        auto parts = acme::parse_flattened(document->root(), "the JWS");
        BOOST_TEST_REQUIRE(parts.has_value());
        BOOST_TEST(parts->payload.starts_with(R"({"iss":"joe")"));
        const auto key = crypto::parse_jwk(v.jwk);
        BOOST_TEST_REQUIRE(key.has_value());
        const auto algorithm = crypto::jose_algorithm(v.name).value();
        acme::Jws jws{std::move(*parts), algorithm, std::string(v.name), "", std::nullopt, std::nullopt, true};
        BOOST_TEST(acme::verify(jws, key->key).has_value());
        jws.parts.signing_input += "x";
        const auto refused = acme::verify(jws, key->key);
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().type == ErrorType::malformed));
    }
}

BOOST_AUTO_TEST_CASE(every_deviation_is_refused_by_its_name) {
    for (const Refusal& r : refusals()) {
        BOOST_TEST_CONTEXT(r.name) {
            const auto parsed = acme::parse_jws(r.body);
            BOOST_TEST_REQUIRE(parsed.has_error());
            BOOST_TEST((parsed.error().type == r.type));
            BOOST_TEST_INFO(parsed.error().detail);
            BOOST_TEST((parsed.error().detail.find(r.says) != std::string::npos));
            BOOST_TEST(parsed.error().status == 400U);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_algorithm_of_another_key_is_refused_with_the_list) {
    const auto key = crypto::PrivateKey::generate(*crypto::KeySpec::from("ec-p384"));
    const auto parsed = acme::parse_jws(message(good_header));
    BOOST_TEST_REQUIRE(parsed.has_value());
    const auto refused = acme::verify(*parsed, key.public_key());
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST((refused.error().type == ErrorType::bad_signature_algorithm));
    BOOST_TEST(refused.error().algorithms.size() == crypto::jose_algorithms().size());
    BOOST_TEST(refused.error().detail.find("EC P-384") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ecdsa_signatures_of_wrong_form_are_refused) {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
    const std::string protected_part = core::base64url(core::as_bytes(good_header));
    const auto der = key.sign(crypto::SignatureAlgorithm::ecdsa_sha256, core::as_bytes(protected_part + ".e30"));
    for (const auto& signature : {core::Bytes(64, 0), core::Bytes(64, 0xff), core::Bytes(65, 1), der}) {
        const auto parsed = acme::parse_jws(flattened(protected_part, "e30", signature));
        BOOST_TEST_REQUIRE(parsed.has_value());
        BOOST_TEST(acme::verify(*parsed, key.public_key()).has_error());
    }
}

BOOST_AUTO_TEST_CASE(keys_of_all_kinds_sign) {
    for (const auto* spec : {"ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048"}) {
        const auto key = crypto::PrivateKey::generate(*crypto::KeySpec::from(spec));
        Header header;
        header.alg = test::jose_name(key);
        header.jwk = crypto::to_jwk(key.public_key());
        header.url = "u";
        const auto parsed = acme::parse_jws(test::sign_jws(key, header, "{}"));
        BOOST_TEST_REQUIRE(parsed.has_value());
        const auto jwk = parsed->jwk();
        BOOST_TEST_REQUIRE(jwk.has_value());
        BOOST_TEST(acme::verify(*parsed, jwk->key).has_value(), spec);
    }
}

BOOST_AUTO_TEST_CASE(weak_and_private_jwks_are_bad_public_keys) {
    for (const std::string& jwk : {std::string(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"})"),
                                   std::string(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})"),
                                   std::string(rs256_jwk).replace(rs256_jwk.find("AQAB"), 4, "AQ")}) {
        const auto parsed = acme::parse_jws(message(R"({"alg":"ES256","url":"u","jwk":)" + jwk + "}"));
        BOOST_TEST_REQUIRE(parsed.has_value());
        const auto refused = parsed->jwk();
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST((refused.error().type == ErrorType::bad_public_key || refused.error().type == ErrorType::malformed));
    }
}

BOOST_AUTO_TEST_SUITE_END()
