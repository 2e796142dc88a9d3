#include "core/crypto/digest.hpp"

#include <openssl/err.h>

#include <boost/test/unit_test.hpp>

#include "core/crypto/handles.hpp"
#include "core/crypto/sealer.hpp"
#include "core/crypto/system_random.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using test::hex;
using test::octets;

BOOST_AUTO_TEST_SUITE(crypto_digest)

BOOST_AUTO_TEST_CASE(fips_180_examples_hold) {
    BOOST_TEST(core::hex(crypto::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(core::hex(crypto::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(core::hex(crypto::sha1(core::as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

BOOST_AUTO_TEST_CASE(rfc4231_case_2_holds) {
    const auto mac = [](crypto::HmacHash hash) {
        return core::hex(crypto::hmac(hash, core::as_bytes("Jefe"), core::as_bytes("what do ya want for nothing?")));
    };
    BOOST_TEST(mac(crypto::HmacHash::sha256) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    BOOST_TEST(mac(crypto::HmacHash::sha384) ==
               "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
    BOOST_TEST(mac(crypto::HmacHash::sha512) ==
               "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
               "caeab1a34d4a6b4b636e070a38bce737");
}

BOOST_AUTO_TEST_CASE(an_empty_key_is_a_key) {
    BOOST_TEST(core::hex(crypto::hmac(crypto::HmacHash::sha256, {}, {})) ==
               "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

BOOST_AUTO_TEST_CASE(parts_do_not_run_together) {
    const auto digest = [](std::string_view a, std::string_view b) { return crypto::PartsDigest().add(a).add(b).finish(); };
    BOOST_TEST((digest("ab", "c") != digest("a", "bc")));
    BOOST_TEST((digest("", "abc") != digest("abc", "")));
    BOOST_TEST((digest("ab", "c") == digest("ab", "c")));
    // Length as 8 octets, then the part: the form attempt keys keep for good.
    BOOST_TEST((crypto::PartsDigest().add("ab").finish() == crypto::sha256(hex("00000000000000026162"))));
    BOOST_TEST((crypto::PartsDigest().add(std::int64_t{-2}).finish() == crypto::sha256(hex("0000000000000008fffffffffffffffe"))));
}

BOOST_AUTO_TEST_CASE(random_octets_differ) {
    crypto::SystemRandom random;
    BOOST_TEST((random.bytes(32) != random.bytes(32)));
    BOOST_TEST(random.token() != random.token());
    BOOST_TEST(random.bytes(0).empty());
}

BOOST_AUTO_TEST_CASE(last_error_empties_the_queue) {
    const core::Bytes junk = octets("junk");
    const unsigned char* at = junk.data();
    const crypto::X509Ptr none(::d2i_X509(nullptr, &at, static_cast<long>(junk.size())));
    BOOST_TEST(!none);
    BOOST_TEST(crypto::last_error("reading").starts_with("reading: error:"));
    BOOST_TEST(crypto::last_error("again") == "again");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crypto_sealer)

namespace {
core::SecretBytes master(std::uint8_t octet) { return core::SecretBytes(core::Bytes(32, octet)); }
}  // namespace

BOOST_AUTO_TEST_CASE(what_was_sealed_opens_for_the_same_row) {
    crypto::SystemRandom random;
    const crypto::Sealer sealer(master(1), random);
    for (const std::string_view text : {"", "x", "a secret of some length"}) {
        for (const std::string_view context : {"", "account/7"}) {
            const core::Bytes sealed = sealer.seal("eab", context, core::as_bytes(text));
            BOOST_TEST(sealed.size() == 1 + 12 + text.size() + 16);
            BOOST_TEST(sealed[0] == 1);
            const auto opened = sealer.open("eab", context, sealed);
            BOOST_REQUIRE(opened.has_value());
            BOOST_TEST((opened->expose() == octets(text)));
        }
    }
}

BOOST_AUTO_TEST_CASE(another_master_label_or_row_opens_nothing) {
    crypto::SystemRandom random;
    const crypto::Sealer sealer(master(1), random);
    const crypto::Sealer other(master(2), random);
    const core::Bytes sealed = sealer.seal("eab", "account/7", core::as_bytes("secret"));
    BOOST_TEST(!other.open("eab", "account/7", sealed));
    BOOST_TEST(!sealer.open("ca-key", "account/7", sealed));
    BOOST_TEST(!sealer.open("eab", "account/8", sealed));
    BOOST_TEST(!sealer.open("eab", "", sealed));
}

BOOST_AUTO_TEST_CASE(every_changed_octet_and_every_cut_is_noticed) {
    crypto::SystemRandom random;
    const crypto::Sealer sealer(master(1), random);
    const core::Bytes sealed = sealer.seal("eab", "account/7", core::as_bytes("secret"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        core::Bytes changed = sealed;
        changed[i] ^= 1;
        BOOST_TEST(!sealer.open("eab", "account/7", changed), "octet " << i);
        BOOST_TEST(!sealer.open("eab", "account/7", core::BytesView(sealed).first(i)), "cut at " << i);
    }
    BOOST_TEST(::ERR_peek_error() == 0U);
}

BOOST_AUTO_TEST_CASE(the_same_secret_is_never_sealed_alike) {
    crypto::SystemRandom random;
    const crypto::Sealer sealer(master(1), random);
    BOOST_TEST((sealer.seal("eab", "a", core::as_bytes("s")) != sealer.seal("eab", "a", core::as_bytes("s"))));
}

BOOST_AUTO_TEST_CASE(lookup_hashes_depend_on_master_and_label_only) {
    crypto::SystemRandom random;
    const crypto::Sealer sealer(master(1), random);
    const auto token = core::as_bytes("token");
    BOOST_TEST((sealer.lookup_hash("api", token) == crypto::Sealer(master(1), random).lookup_hash("api", token)));
    BOOST_TEST((sealer.lookup_hash("api", token) != sealer.lookup_hash("eab", token)));
    BOOST_TEST((sealer.lookup_hash("api", token) != crypto::Sealer(master(2), random).lookup_hash("api", token)));
    BOOST_TEST(sealer.lookup_hash("api", token).size() == 32U);
}

BOOST_AUTO_TEST_CASE(derived_keys_stay_what_they_are) {
    // openssl kdf -keylen 32 -kdfopt digest:SHA2-256 -kdfopt hexkey:0101…01 -kdfopt info:lookup:api HKDF,
    // then openssl mac -digest SHA256 -macopt hexkey:… HMAC over "token": stored hashes must outlive versions.
    crypto::SystemRandom random;
    BOOST_TEST(core::hex(crypto::Sealer(master(1), random).lookup_hash("api", core::as_bytes("token"))) == "2d3a0957da30371247aa450059d3cf9aeef70bb128c33b73f25937c9e1a5970d");
}

BOOST_AUTO_TEST_CASE(a_master_key_has_32_octets) {
    crypto::SystemRandom random;
    BOOST_CHECK_THROW(crypto::Sealer(core::SecretBytes(core::Bytes(31)), random), std::invalid_argument);
    BOOST_CHECK_THROW(crypto::Sealer(core::SecretBytes(), random), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
