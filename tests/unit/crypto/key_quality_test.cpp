#include "core/crypto/key_quality.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "core/crypto/jwk.hpp"
#include "core/crypto/rsa_numbers.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using namespace postern::test;

namespace {

core::Bytes spki(const std::string& name) { return data_file("../keys/" + name + ".spki"); }

core::Bytes modulus(const std::string& name) {
    const auto der = spki(name);
    crypto::der::Reader outer(der);
    crypto::der::Reader fields(outer.next(crypto::der::sequence).value().content);
    fields.next();
    return core::to_bytes(crypto::rsa_numbers(crypto::der::whole_octets(fields.next().value()).value()).value().n);
}

std::string weakness(const core::Bytes& n) {
    const auto found = crypto::rsa_weakness(n);
    return found ? std::string(found->check) : "none";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_key_quality)

BOOST_AUTO_TEST_CASE(each_weak_key_fails_its_own_check) {
    BOOST_TEST(weakness(modulus("good-2048")) == "none");
    BOOST_TEST(weakness(modulus("exponent-17")) == "none");
    BOOST_TEST(weakness(modulus("debian-weak")) == "none");  // only a list knows it
    BOOST_TEST(weakness(modulus("close-primes-2048")) == "key.quality.fermat");
    BOOST_TEST(weakness(modulus("close-primes-4096")) == "key.quality.fermat");
    BOOST_TEST(weakness(modulus("square-2048")) == "key.quality.fermat");
    BOOST_TEST(weakness(modulus("factor-751")) == "key.quality.small_factor");
    BOOST_TEST(weakness(modulus("roca-2048")) == "key.quality.roca");
    BOOST_TEST(weakness(core::Bytes(256, 0xf0)) == "key.quality.small_factor");
}

BOOST_AUTO_TEST_CASE(refused_wherever_a_strangers_key_is_read) {
    for (const auto& [name, check] : {std::pair("close-primes-2048", crypto::check_fermat), {"square-2048", crypto::check_fermat},
                                      {"factor-751", crypto::check_small_factor}, {"roca-2048", crypto::check_roca}}) {
        const auto csr = crypto::PublicKey::from_spki(spki(name), crypto::KeyUse::csr);
        BOOST_TEST_REQUIRE(!csr.has_value(), name);
        BOOST_TEST((csr.error().kind == core::ProblemKind::bad_public_key));
        BOOST_TEST(csr.error().check == check);
        const auto jwk = R"({"kty":"RSA","e":"AQAB","n":")" + core::base64url(modulus(name)) + "\"}";
        const auto account = crypto::parse_jwk(jwk);
        BOOST_TEST_REQUIRE(!account.has_value(), name);
        BOOST_TEST(account.error().check == check);
    }
    BOOST_TEST(crypto::PublicKey::from_spki(spki("good-2048"), crypto::KeyUse::csr).has_value());
}

BOOST_AUTO_TEST_CASE(sizes_and_exponents_are_bounded) {
    const auto said = [](const std::string& name) {
        const auto key = crypto::PublicKey::from_spki(spki(name), crypto::KeyUse::csr);
        return key ? std::string() : key.error().detail;
    };
    BOOST_TEST(said("exponent-17").find("exponent must be odd, at least 65537 and below 2^256") != std::string::npos);
    BOOST_TEST(said("exponent-even").find("exponent must be odd") != std::string::npos);
    BOOST_TEST(said("exponent-huge").find("below 2^256") != std::string::npos);
    BOOST_TEST(said("size-2047").find("only 2047 bits") != std::string::npos);
    BOOST_TEST(said("size-8200").find("longer than 8192 bits") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_hundred_rounds_and_no_more) {
    // 1000003 times a prime whose middle lies 0, 89 and 103 above the root.
    BOOST_TEST(weakness(hex("e8d6ca6163")) == "key.quality.fermat");
    BOOST_TEST(weakness(hex("ef1e5527f1")) == "key.quality.fermat");
    BOOST_TEST(weakness(hex("ef962369ff")) == "none");
}

BOOST_AUTO_TEST_SUITE_END()
