#include "core/crypto/fingerprints.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "core/crypto/key.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(crypto_fingerprints)

/// The modulus of 8df20e6961a16398b85a in Debian's openssl-blacklist, as Boulder's test of that format
/// publishes it (goodkey/weak_test.go).
BOOST_AUTO_TEST_CASE(a_published_entry_of_openssl_blacklist) {
    const auto modulus = hex(
        "d673252af6723c3f72529403eab7c30def3c52f97e799825f4a70191c616adcf1ece1113f1625971074c492c592025fdeadbdb146a081826bdf0d77c3c91"
        "3dcf1b6f0b3b78f5108d2e493ad0eee8ca5c021711adc13d358e61133870fcd19c8e5c22403959782aa82e72aee53a3d491e3912ce27b27e1a85ea69c19a"
        "527d28f7934c9823b7e56fdd657dac83fdc65bb22a98d843df73238919781b714c81a5e2afec71f5c54aa2a27c590ad94c03c1062d50efcffac743e3c8a3"
        "ae056846a1d756eb862bf4224169d467c35215ade0afcc11e85fe629afb802c4786ff2e9c929bccf502b3d3b8876c6a11785cc398b389f1d86bdd9cb0bd4"
        "ec13956ec3fa270d");
    const core::Bytes exponent{1, 0, 1};
    const auto key = crypto::PublicKey::from_rsa(modulus, exponent, crypto::KeyUse::csr).value();
    BOOST_TEST(core::hex(crypto::fingerprints(key).modulus) == "8df20e6961a16398b85a");
}

BOOST_AUTO_TEST_CASE(every_form_of_a_key) {
    const auto rsa = crypto::fingerprints(crypto::PublicKey::from_spki(data_file("../keys/debian-weak.spki"), crypto::KeyUse::csr).value());
    BOOST_TEST(core::hex(rsa.modulus) == "49d96fae9bfc0e84bba3");
    BOOST_TEST(rsa.spki.size() == crypto::spki_fingerprint_size);
    BOOST_TEST(rsa.number.size() == crypto::number_fingerprint_size);
    // The example of pwnedkeys and Boulder is the digest that `openssl pkey -pubin -outform DER | openssl sha256` prints.
    const auto key = crypto::PrivateKey::from_pem(text_file("../keys/rfc9500-p256.key.pem")).value().public_key();
    const auto ec = crypto::fingerprints(key);
    BOOST_TEST(core::hex(ec.spki) == core::hex(crypto::sha256(key.spki())));
    BOOST_TEST(ec.modulus.empty());
    // Of x alone: 42 25 48 f8 … of RFC 9500 §2.3.
    const auto x = hex("422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b1");
    BOOST_TEST(core::hex(ec.number) == core::hex(crypto::sha256(x)).substr(0, 30));
}

BOOST_AUTO_TEST_CASE(another_exponent_or_sign_is_the_same_number) {
    const auto spki = data_file("../keys/good-2048.spki");
    const auto key = crypto::PublicKey::from_spki(spki, crypto::KeyUse::csr).value();
    auto other_spki = spki;
    other_spki.back() = 3;  // 65539
    const auto other = crypto::PublicKey::from_spki(other_spki, crypto::KeyUse::csr).value();
    BOOST_TEST(crypto::fingerprints(key).spki != crypto::fingerprints(other).spki);
    BOOST_TEST(crypto::fingerprints(key).number == crypto::fingerprints(other).number);
    BOOST_TEST(crypto::fingerprints(key).modulus == crypto::fingerprints(other).modulus);
}

BOOST_AUTO_TEST_SUITE_END()
