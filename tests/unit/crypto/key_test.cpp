#include "core/crypto/key.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <boost/test/unit_test.hpp>

#include "core/crypto/curves.hpp"
#include "core/crypto/der.hpp"
#include "core/crypto/handles.hpp"
#include "core/crypto/key_quality.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using core::ProblemKind;
using crypto::KeySpec;
using crypto::KeyType;
using crypto::KeyUse;
using crypto::PrivateKey;
using crypto::PublicKey;
using crypto::SignatureAlgorithm;
using test::contains;
using test::hex;
using test::refusal;

namespace {

const KeySpec all_specs[] = {KeySpec(KeyType::ec_p256, 256), KeySpec(KeyType::ec_p384, 384), KeySpec(KeyType::ec_p521, 521),
                             KeySpec(KeyType::ed25519, 256), KeySpec(KeyType::rsa, 2048)};
constexpr SignatureAlgorithm all_algorithms[] = {
    SignatureAlgorithm::ecdsa_sha256, SignatureAlgorithm::ecdsa_sha384, SignatureAlgorithm::ecdsa_sha512, SignatureAlgorithm::ed25519,
    SignatureAlgorithm::rsa_sha256,   SignatureAlgorithm::rsa_sha384,   SignatureAlgorithm::rsa_sha512};

/// An odd number of that many bits without small factors: what a modulus looks like from outside.
core::Bytes modulus(unsigned bits) {
    core::Bytes n((bits + 7) / 8, 0xa5);
    n.front() = static_cast<std::uint8_t>(bits % 8 == 0 ? 0x80 : 1U << (bits % 8 - 1));
    auto& low = n[n.size() - 2];
    auto& high = n[n.size() - 3];
    while (crypto::rsa_weakness(n))
        if (++low == 0) ++high;
    return n;
}
const core::Bytes e65537{1, 0, 1};

core::Bytes spki_of(const std::string& csr) {
    const core::Bytes der = test::data_file(csr);
    crypto::der::Reader outer(der);
    crypto::der::Reader request(outer.next().value().content);
    crypto::der::Reader info(request.next().value().content);
    info.next();
    info.next();
    return core::to_bytes(info.next().value().whole);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_key)

BOOST_AUTO_TEST_CASE(orders_of_the_curves_are_those_openssl_has) {
    for (const auto& [type, nid] : {std::pair(KeyType::ec_p256, NID_X9_62_prime256v1), std::pair(KeyType::ec_p384, NID_secp384r1),
                                    std::pair(KeyType::ec_p521, NID_secp521r1)}) {
        const std::unique_ptr<EC_GROUP, crypto::Deleter<EC_GROUP_free>> group(::EC_GROUP_new_by_curve_name(nid));
        core::Bytes order(crypto::curve_of(type)->width);
        ::BN_bn2binpad(::EC_GROUP_get0_order(group.get()), order.data(), static_cast<int>(order.size()));
        BOOST_TEST(core::hex(order) == core::hex(crypto::curve_of(type)->order));
    }
}

BOOST_AUTO_TEST_CASE(every_kind_of_key_signs_and_survives_storage) {
    const auto data = core::as_bytes("data");
    for (const auto& spec : all_specs) {
        const PrivateKey key = PrivateKey::generate(spec);
        const PublicKey& half = key.public_key();
        BOOST_TEST_CONTEXT(spec.to_string()) {
            BOOST_TEST((half.type() == spec.type));
            BOOST_TEST(half.bits() == spec.bits);
            const auto algorithm = key.default_algorithm();
            const core::Bytes signature = key.sign(algorithm, data);
            const auto reloaded = PublicKey::from_spki(half.spki(), KeyUse::account);
            BOOST_REQUIRE(reloaded.has_value());
            BOOST_TEST((reloaded->spki() == half.spki()));
            BOOST_TEST(reloaded->verify(algorithm, data, signature));
            BOOST_TEST(!reloaded->verify(algorithm, core::as_bytes("date"), signature));
            BOOST_TEST(reloaded->verify_jose(algorithm, data, key.sign_jose(algorithm, data)));

            const auto from_der = PrivateKey::from_pkcs8(key.to_pkcs8().expose());
            const auto from_pem = PrivateKey::from_pem(key.to_pem().expose());
            BOOST_REQUIRE(from_der.has_value());
            BOOST_REQUIRE(from_pem.has_value());
            BOOST_TEST((from_der->public_key().spki() == half.spki()));
            BOOST_TEST(half.verify(algorithm, data, from_pem->sign(algorithm, data)));
            BOOST_TEST(key.to_pem().expose().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        }
    }
}

BOOST_AUTO_TEST_CASE(openssl_reads_what_we_write) {
    const test::TemporaryFolder folder;
    for (const auto& spec : all_specs) {
        const PrivateKey key = PrivateKey::generate(spec);
        const std::string path = folder.write("key.pem", key.to_pem().expose());
        BOOST_TEST(test::run("openssl pkey -check -noout -in " + path).status == 0);
        const auto exported = test::run("openssl pkey -pubout -outform DER -in " + path);
        BOOST_TEST((test::octets(exported.output) == key.public_key().spki()));
    }
}

BOOST_AUTO_TEST_CASE(algorithms_work_with_their_family_only) {
    const auto data = core::as_bytes("data");
    for (const auto& spec : all_specs) {
        const PrivateKey key = PrivateKey::generate(spec);
        for (const auto algorithm : all_algorithms) {
            const bool ec_algorithm = algorithm == SignatureAlgorithm::ecdsa_sha256 || algorithm == SignatureAlgorithm::ecdsa_sha384 ||
                                      algorithm == SignatureAlgorithm::ecdsa_sha512;
            const bool rsa_algorithm = algorithm == SignatureAlgorithm::rsa_sha256 || algorithm == SignatureAlgorithm::rsa_sha384 ||
                                       algorithm == SignatureAlgorithm::rsa_sha512;
            const bool expected = crypto::curve_of(spec.type) != nullptr ? ec_algorithm
                                  : spec.type == KeyType::rsa            ? rsa_algorithm
                                                                         : !ec_algorithm && !rsa_algorithm;
            if (expected) {
                BOOST_TEST(key.public_key().verify(algorithm, data, key.sign(algorithm, data)));
            } else {
                BOOST_CHECK_THROW(static_cast<void>(key.sign(algorithm, data)), std::invalid_argument);
                BOOST_TEST(!key.public_key().verify(algorithm, data, core::Bytes(64)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_signature_leaves_no_error_behind) {
    const PrivateKey key = PrivateKey::generate(KeySpec(KeyType::ec_p256, 256));
    for (const auto& junk : {core::Bytes(), core::Bytes(70, 0x30), hex("3006020100020100"), hex("3006020101020101")}) {
        BOOST_TEST(!key.public_key().verify(SignatureAlgorithm::ecdsa_sha256, core::as_bytes("data"), junk));
        BOOST_TEST(::ERR_peek_error() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(points_off_the_curve_and_beyond_the_field_are_refused) {
    for (const auto type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521}) {
        const std::size_t width = crypto::curve_of(type)->width;
        const PrivateKey key = PrivateKey::generate(KeySpec(type, 0));
        const core::BytesView point = core::BytesView(key.public_key().spki()).last(2 * width);
        const core::Bytes x = core::to_bytes(point.first(width));
        const core::Bytes y = core::to_bytes(point.last(width));
        BOOST_TEST(PublicKey::from_ec_point(type, x, y, KeyUse::account).has_value());
        core::Bytes wrong = y;
        wrong.back() ^= 1;
        BOOST_TEST(contains(refusal(PublicKey::from_ec_point(type, x, wrong, KeyUse::account), ProblemKind::bad_public_key), "not on P-"));
        const core::Bytes zero(width);
        const core::Bytes beyond(width, 0xff);
        BOOST_TEST(contains(refusal(PublicKey::from_ec_point(type, zero, zero, KeyUse::account), ProblemKind::bad_public_key), "not on P-"));
        BOOST_TEST(contains(refusal(PublicKey::from_ec_point(type, beyond, y, KeyUse::account), ProblemKind::bad_public_key), "not on P-"));
        BOOST_TEST(contains(refusal(PublicKey::from_ec_point(type, core::BytesView(x).subspan(1), y, KeyUse::account), ProblemKind::bad_public_key),
                            "octets each, leading zeros included"));
        BOOST_TEST(::ERR_peek_error() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(rsa_sizes_depend_on_the_use) {
    const std::tuple<unsigned, KeyUse, std::string_view> table[] = {
        {1024, KeyUse::csr, "only 1024 bits; use 2048 to 8192 bits"},
        {2047, KeyUse::csr, "only 2047 bits"},
        {2048, KeyUse::csr, "it was accepted"},
        {2049, KeyUse::csr, "must be divisible by 8"},
        {2056, KeyUse::csr, "it was accepted"},
        {8192, KeyUse::csr, "it was accepted"},
        {8200, KeyUse::csr, "longer than 8192 bits"},
        {16384, KeyUse::csr, "longer than 8192 bits"},
        {4096, KeyUse::account, "it was accepted"},
        {4104, KeyUse::account, "longer than 4096 bits; use 2048 to 4096 bits"},
        {4096, KeyUse::authority, "it was accepted"},
        {8192, KeyUse::authority, "longer than 4096 bits"},
    };
    for (const auto& [bits, use, expected] : table)
        BOOST_TEST(contains(refusal(PublicKey::from_rsa(modulus(bits), e65537, use), ProblemKind::bad_public_key), expected), bits);
    core::Bytes even = modulus(2048);
    even.back() = 0xa4;
    BOOST_TEST(contains(refusal(PublicKey::from_rsa(even, e65537, KeyUse::csr), ProblemKind::bad_public_key), "modulus is even"));
    BOOST_TEST(contains(refusal(PublicKey::from_rsa({}, e65537, KeyUse::csr), ProblemKind::bad_public_key), "only 0 bits"));
}

BOOST_AUTO_TEST_CASE(rsa_exponents_are_odd_and_large_enough) {
    for (const std::string_view refused : {"", "00", "01", "03", "11", "ffff", "010000", "010002"})
        BOOST_TEST(contains(refusal(PublicKey::from_rsa(modulus(2048), hex(refused), KeyUse::csr), ProblemKind::bad_public_key), "exponent must be odd"), refused);
    BOOST_TEST(PublicKey::from_rsa(modulus(2048), hex("010003"), KeyUse::csr).has_value());
    BOOST_TEST(PublicKey::from_rsa(modulus(2048), core::Bytes(32, 0xff), KeyUse::csr).has_value());
    BOOST_TEST(!PublicKey::from_rsa(modulus(2048), core::Bytes(33, 0xff), KeyUse::csr).has_value());
}

BOOST_AUTO_TEST_CASE(spki_refusals_say_what_would_do) {
    const std::pair<std::string_view, std::string_view> files[] = {
        {"p192.csr", "on the curve 1.2.840.10045.3.1.1; use P-256, P-384 or P-521"},
        {"explicit-curve.csr", "spells its curve's parameters out; use a named curve"},
        {"compressed-point.csr", "point is compressed; send it uncompressed"},
        {"pss-key.csr", "bound to RSASSA-PSS"},
        {"rsa1024.csr", "only 1024 bits"},
        {"rsa2047.csr", "only 2047 bits"},
        {"rsa-e3.csr", "exponent must be odd, at least 65537"},
        {"p256.csr", "it was accepted"},
        {"rsa2048.csr", "it was accepted"},
        {"ed25519.csr", "it was accepted"},
    };
    for (const auto& [file, expected] : files)
        BOOST_TEST(contains(refusal(PublicKey::from_spki(spki_of(std::string(file)), KeyUse::csr), ProblemKind::bad_public_key), expected), file);
}

BOOST_AUTO_TEST_CASE(infinity_trailing_bytes_and_odd_parameters_are_refused) {
    const std::string p256_algorithm = "301306072a8648ce3d020106082a8648ce3d030107";
    const std::pair<std::string, std::string_view> table[] = {
        {"3019" + p256_algorithm + "03020000", "no uncompressed point of P-256"},
        {"3019" + p256_algorithm + "03020004", "no uncompressed point of P-256"},
        {"3018" + p256_algorithm + "030100", "no uncompressed point of P-256"},
        {"3019" + p256_algorithm + "03020104", "not made of whole octets"},
        {"3019" + p256_algorithm + "0302000000", "not the DER of one SubjectPublicKeyInfo"},
        {"300e300906072a8648ce3d020103010000", "not the DER of one"},
        {"300e300906072a8648ce3d0201030100", "does not name its curve"},
        {"3012300d06092a864886f70d01010b0500030100", "1.2.840.113549.1.1.11 is not supported"},
        {"3010300b06092a864886f70d010101030100", "parameters are not NULL"},
        {"3012300d06092a864886f70d0101010500030100", "not the DER of a modulus and an exponent"},
        {"300a300506032b6570030100", "Ed25519 key is 32 octets"},
        {"300c300706032b65700500030100", "has no parameters"},
        {"300a300506032b6571030100", "1.3.101.113 is not supported; supported are RSA"},
        {"", "not the DER of one"},
        {"3000", "not algorithm and key"},
    };
    for (const auto& [text, expected] : table)
        BOOST_TEST(contains(refusal(PublicKey::from_spki(hex(text), KeyUse::csr), ProblemKind::bad_public_key), expected), text);
}

BOOST_AUTO_TEST_CASE(a_negative_or_padded_modulus_is_refused) {
    const auto spki = [](std::string_view modulus_integer) {
        crypto::der::Writer numbers;
        numbers.begin(crypto::der::sequence).raw(hex(modulus_integer)).unsigned_integer(e65537).end();
        crypto::der::Writer out;
        out.begin(crypto::der::sequence).raw(hex("300d06092a864886f70d0101010500")).bits(numbers.bytes()).end();
        return out.take();
    };
    for (const std::string_view n : {"020181", "02020001"})
        BOOST_TEST(contains(refusal(PublicKey::from_spki(spki(n), KeyUse::csr), ProblemKind::bad_public_key), "not the DER of a modulus"));
}

BOOST_AUTO_TEST_CASE(key_identifier_is_rfc5280_method_1) {
    const auto root = test::run("openssl x509 -inform DER -in " POSTERN_TEST_DATA "/crypto/root.der -noout -ext subjectKeyIdentifier");
    const auto spki = test::run("openssl x509 -inform DER -in " POSTERN_TEST_DATA "/crypto/root.der -noout -pubkey | openssl pkey -pubin -outform DER");
    const auto key = PublicKey::from_spki(core::as_bytes(spki.output), KeyUse::authority);
    std::string expected;
    for (const char c : root.output.substr(root.output.find('\n')))
        if (std::isxdigit(static_cast<unsigned char>(c)) != 0) expected += static_cast<char>(std::tolower(c));
    BOOST_TEST(core::hex(key.value().key_identifier()) == expected);
}

BOOST_AUTO_TEST_CASE(private_key_files_of_every_form_are_read) {
    const auto pkcs8 = PrivateKey::from_pem(test::text_file("p256.key.pem"));
    const auto traditional = PrivateKey::from_pem(test::text_file("p256-traditional.key.pem"));
    BOOST_REQUIRE(pkcs8.has_value());
    BOOST_REQUIRE(traditional.has_value());
    BOOST_TEST((pkcs8->public_key().spki() == traditional->public_key().spki()));
    BOOST_TEST((pkcs8->public_key().spki() == spki_of("p256.csr")));
}

BOOST_AUTO_TEST_CASE(unusable_private_keys_say_why) {
    BOOST_TEST(contains(refusal(PrivateKey::from_pem(test::text_file("p256-encrypted.key.pem")), ProblemKind::malformed), "is encrypted; store it without"));
    BOOST_TEST(contains(refusal(PrivateKey::from_pem("hello"), ProblemKind::malformed), "no private key in PEM found"));
    BOOST_TEST(contains(refusal(PrivateKey::from_pem(test::text_file("p192.key.pem")), ProblemKind::bad_public_key), "use P-256, P-384 or P-521"));
    core::Bytes trailing = PrivateKey::generate(KeySpec()).to_pkcs8().expose();
    trailing.push_back(0);
    BOOST_TEST(contains(refusal(PrivateKey::from_pkcs8(trailing), ProblemKind::malformed), "one unencrypted PKCS #8"));
    BOOST_TEST(contains(refusal(PrivateKey::from_pkcs8({}), ProblemKind::malformed), "one unencrypted PKCS #8"));
    BOOST_TEST(::ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_CASE(a_public_key_from_elsewhere_is_noticed) {
    // The PKCS #8 of a P-256 key ends with its point: replace it by another key's.
    core::Bytes mixed = PrivateKey::generate(KeySpec()).to_pkcs8().expose();
    const PrivateKey other = PrivateKey::generate(KeySpec());
    std::copy(other.public_key().spki().end() - 64, other.public_key().spki().end(), mixed.end() - 64);
    BOOST_TEST(contains(refusal(PrivateKey::from_pkcs8(mixed), ProblemKind::malformed), "does not belong to the public key"));
}

BOOST_AUTO_TEST_CASE(specs_have_names) {
    for (const std::string_view name : {"ec-p256", "ec-p384", "ec-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"})
        BOOST_TEST(KeySpec::from(name).value().to_string() == name);
    for (const std::string_view name : {"", "rsa", "rsa-1024", "RSA-2048", "ec-p192"}) BOOST_TEST(!KeySpec::from(name), name);
    BOOST_TEST(crypto::describe(KeyType::ec_p384, 384) == "EC P-384");
    BOOST_TEST(crypto::describe(KeyType::rsa, 3072) == "RSA 3072");
    BOOST_TEST(crypto::describe(KeyType::ed25519, 256) == "Ed25519");
}

BOOST_AUTO_TEST_CASE(algorithm_identifiers_come_back) {
    for (const auto algorithm : all_algorithms)
        BOOST_TEST((crypto::signature_algorithm_from(crypto::algorithm_identifier(algorithm)) == algorithm));
    // RFC 4055 §5: absent parameters of RSA; RFC 5758 §3.2: none with ECDSA
    BOOST_TEST((crypto::signature_algorithm_from(hex("300b06092a864886f70d01010b")) == SignatureAlgorithm::rsa_sha256));
    BOOST_TEST(!crypto::signature_algorithm_from(hex("300c06082a8648ce3d0403020500")));
    BOOST_TEST(!crypto::signature_algorithm_from(hex("300d06092a864886f70d0101050500")));
    BOOST_TEST(!crypto::signature_algorithm_from({}));
}

BOOST_AUTO_TEST_SUITE_END()
