#include "core/crypto/cms_unpad.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/cms_decrypt.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
using crypto::Mask;

namespace {

constexpr Mask all = ~Mask{0};

core::Bytes padded(std::size_t block, std::size_t key) {
    core::Bytes out(block, 0x77);
    out[0] = 0;
    out[1] = 2;
    out[block - key - 1] = 0;
    for (std::size_t i = 0; i < key; ++i) out[block - key + i] = static_cast<std::uint8_t>(i);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_cms_unpad)

BOOST_AUTO_TEST_CASE(a_right_padding_gives_the_message) {
    for (const std::size_t key : {16U, 24U, 32U}) {
        core::Bytes message(key, 0xee);
        const core::Bytes encoded = padded(256, key);
        BOOST_TEST(crypto::unpad_pkcs1(encoded, message) == all);
        BOOST_TEST((message == core::Bytes(encoded.end() - static_cast<std::ptrdiff_t>(key), encoded.end())));
    }
}

// Every octet of the padding counts, the message's octets do not.
BOOST_AUTO_TEST_CASE(a_wrong_octet_anywhere_leaves_the_random_key) {
    const std::size_t key = 16;
    const core::Bytes good = padded(256, key);
    const core::Bytes random(key, 0xee);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            core::Bytes encoded = good;
            encoded[at] = static_cast<std::uint8_t>(value);
            const bool separator = at == 256 - key - 1;
            const bool right = at == 0 || separator ? value == 0 : at == 1 ? value == 2 : at < 256 - key - 1 ? value != 0 : true;
            core::Bytes message = random;
            const Mask mask = crypto::unpad_pkcs1(encoded, message);
            if (mask != (right ? all : 0)) BOOST_ERROR("octet " << at << " as " << value);
            if (!right && message != random) BOOST_ERROR("octet " << at << " as " << value << " let something through");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_message_of_another_size_is_a_wrong_padding) {
    core::Bytes message(16, 0xee);
    BOOST_TEST(crypto::unpad_pkcs1(padded(256, 24), message) == 0U);
    BOOST_TEST(crypto::unpad_pkcs1(padded(256, 15), message) == 0U);
    BOOST_TEST((message == core::Bytes(16, 0xee)));
}

BOOST_AUTO_TEST_CASE(block_paddings_are_those_of_pkcs_7) {
    for (const std::size_t block : {8U, 16U}) {
        for (std::size_t size = 0; size < 256; ++size) {
            core::Bytes text(3 * block, 0xaa);
            for (std::size_t i = 0; i < std::min(size, text.size()); ++i) text[text.size() - 1 - i] = static_cast<std::uint8_t>(size);
            if (size == 0) text.back() = 0;
            const auto found = crypto::block_padding(text, block);
            const bool right = size >= 1 && size <= block;
            BOOST_TEST(found.good == (right ? all : 0));
            BOOST_TEST(found.size == (right ? size : 0));
            // Each octet within the padding counts.
            for (std::size_t i = 1; right && i < size; ++i) {
                core::Bytes wrong = text;
                wrong[wrong.size() - 1 - i] ^= 0x80;
                BOOST_TEST(crypto::block_padding(wrong, block).good == 0U);
            }
        }
    }
}

// The library itself tells a wrong padding (0 from EVP_PKEY_decrypt in 3.0), so it is not asked.
BOOST_AUTO_TEST_CASE(a_wrong_padding_and_a_wrong_content_end_at_one_place) {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec(crypto::KeyType::rsa, 2048));
    core::Bytes number(256, 0x11);
    number[0] = 0;
    const auto unwrapped = crypto::unwrap_pkcs1(key, number, core::SecretBytes(core::Bytes(16, 0xee)));
    BOOST_TEST(unwrapped.good == 0U);
    BOOST_TEST((unwrapped.key.expose() == core::Bytes(16, 0xee)));
    // Even a content that decrypts well under the random key is none.
    const core::Bytes vector(16, 0);
    const core::Bytes content(64, 0x5a);
    BOOST_TEST(!crypto::decrypt_cbc(crypto::CmsCipher::aes128_cbc, unwrapped.key, vector, content, 0).has_value());
    for (const auto& broken : {core::Bytes(), core::Bytes(255, 1), core::Bytes(257, 1), core::Bytes(256, 0xff)}) {
        const auto none = crypto::unwrap_pkcs1(key, broken, core::SecretBytes(core::Bytes(32, 0xee)));
        BOOST_TEST(none.good == 0U);
        BOOST_TEST((none.key.expose() == core::Bytes(32, 0xee)));
        const auto oaep = crypto::unwrap_oaep(key, crypto::CmsDigest::sha256, crypto::CmsDigest::sha1, broken, core::SecretBytes(core::Bytes(32, 0xee)));
        BOOST_TEST(oaep.good == 0U);
        BOOST_TEST((oaep.key.expose() == core::Bytes(32, 0xee)));
    }
    const auto curve = crypto::PrivateKey::generate(crypto::KeySpec());
    BOOST_TEST(crypto::unwrap_pkcs1(curve, number, core::SecretBytes(core::Bytes(16, 1))).good == 0U);
    BOOST_TEST(crypto::unwrap_oaep(curve, crypto::CmsDigest::sha1, crypto::CmsDigest::sha1, number, core::SecretBytes(core::Bytes(16, 1))).good == 0U);
}

BOOST_AUTO_TEST_CASE(a_content_decrypts_where_key_and_padding_are_good) {
    // AES-128-CBC of "hello", NIST's example key, by openssl enc.
    const core::SecretBytes key(test::hex("2b7e151628aed2a6abf7158809cf4f3c"));
    const core::Bytes vector = test::hex("000102030405060708090a0b0c0d0e0f");
    const auto made = test::run("printf hello | openssl enc -aes-128-cbc -K 2b7e151628aed2a6abf7158809cf4f3c -iv 000102030405060708090a0b0c0d0e0f | od -An -tx1 | tr -d ' \\n'");
    const core::Bytes encrypted = test::hex(made.output);
    const auto plain = crypto::decrypt_cbc(crypto::CmsCipher::aes128_cbc, key, vector, encrypted, all);
    BOOST_REQUIRE(plain.has_value());
    BOOST_TEST((plain->expose() == test::octets("hello")));
    BOOST_TEST(!crypto::decrypt_cbc(crypto::CmsCipher::aes128_cbc, key, vector, encrypted, 0).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
