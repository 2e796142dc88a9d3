#include "app/key_lists.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/crypto/csr.hpp"
#include "core/crypto/fingerprints.hpp"

BOOST_AUTO_TEST_SUITE(app_key_lists)

using namespace postern;
using app::KeyListFormat;

namespace {

std::string data(const std::string& name) {
    std::ifstream in(POSTERN_TEST_DATA "/" + name, std::ios::binary);
    BOOST_TEST_REQUIRE(in.good(), name);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

struct List {
    explicit List(const std::string& content, KeyListFormat format = KeyListFormat::automatic) {
        std::istringstream in(content);
        counts = app::read_key_list(in, format, [this](const app::ListedKey& key) {
            for (const auto& digest : key.digests()) digests.push_back(core::hex(digest));
        });
    }
    app::KeyListCounts counts;
    std::vector<std::string> digests;
};

std::string refusal(const std::string& content, KeyListFormat format = KeyListFormat::automatic) {
    try {
        List list(content, format);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "read";
}

const std::string spki_hex = "41e6dcd55dd2917de2ce461118d262966f4172ebdfd28a31e14d919fe6f824e1";

}  // namespace

BOOST_AUTO_TEST_CASE(fingerprints_as_they_are_published) {
    const List debian(data("keys/debian-weak.openssl-blacklist"));
    BOOST_TEST(debian.counts.keys == 2);
    BOOST_TEST((debian.digests == std::vector<std::string>{"8df20e6961a16398b85a", "49d96fae9bfc0e84bba3"}));
    // Boulder reads the same list as JSON, and its blocked keys as YAML.
    BOOST_TEST((List("[\"8df20e6961a16398b85a\",\n \"49d96fae9bfc0e84bba3\"]").digests == debian.digests));
    const List boulder("blocked:\n  # a comment\n  - cuwGhNNI6nfob5aqY90e7BleU6l7rfxku4X3UTJ3Z7M=\nblockedHashesHex:\n  - " + spki_hex + "\n");
    BOOST_TEST_REQUIRE(boulder.digests.size() == 2U);
    BOOST_TEST(boulder.digests[0] == "72ec0684d348ea77e86f96aa63dd1eec195e53a97badfc64bb85f751327767b3");
    BOOST_TEST(boulder.digests[1] == spki_hex);
    BOOST_TEST((List(spki_hex + "\r\n").digests == std::vector{spki_hex}));
    std::string badkeys;
    for (int i = 0; i < 32; ++i) badkeys.push_back(static_cast<char>(i));
    BOOST_TEST((List(badkeys, KeyListFormat::badkeys).digests ==
                std::vector<std::string>{"000102030405060708090a0b0c0d0e", "101112131415161718191a1b1c1d1e"}));
}

BOOST_AUTO_TEST_CASE(keys_certificates_and_requests_as_pem) {
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec()).public_key();
    const auto prints = crypto::fingerprints(key);
    const List one("A key\n" + crypto::to_pem("PUBLIC KEY", key.spki()) + "and words behind it\n", KeyListFormat::pem);
    BOOST_TEST((one.digests == std::vector{core::hex(prints.spki), core::hex(prints.number)}));

    const auto request = data("crypto/p256.csr");
    const List many(data("keys/debian-weak.key.pem") + data("keys/rfc9500-p256.key.pem") + data("crypto/p256-traditional.key.pem") +
                    crypto::to_pem("CERTIFICATE REQUEST", core::as_bytes(request)) + spki_hex + "\n");
    BOOST_TEST(many.counts.keys == 5);
    BOOST_TEST_REQUIRE(many.digests.size() == 9U);
    // The request is of the key before it.
    BOOST_TEST(many.digests[4] == many.digests[6]);
    BOOST_TEST(!many.counts.is_chain());
    // Which keys of a chain are CAs' is told, so that naming it blocks its leaf alone.
    const List chain(data("crypto/chain.pem"), KeyListFormat::pem);
    BOOST_TEST((chain.counts.keys == 2 && chain.counts.authorities == 1 && chain.counts.is_chain()));
    const auto root = data("crypto/root.der");
    BOOST_TEST(!List(crypto::to_pem("CERTIFICATE", core::as_bytes(root)), KeyListFormat::pem).counts.is_chain());
    BOOST_TEST(List(data("crypto/chain.pem").substr(0, data("crypto/chain.pem").find("Certificate:")), KeyListFormat::pem).counts.keys == 1);
}

BOOST_AUTO_TEST_CASE(keys_that_are_refused_anyway_are_counted) {
    const auto weak = data("keys/roca-2048.spki");
    const List list(crypto::to_pem("PUBLIC KEY", core::as_bytes(weak)) + spki_hex + "\n");
    BOOST_TEST(list.counts.keys == 1);
    BOOST_TEST(list.counts.unusable == 1);
    BOOST_TEST(list.counts.first_unusable.starts_with("line 1: key.quality.roca: "));
}

BOOST_AUTO_TEST_CASE(what_is_no_list_names_its_line) {
    BOOST_TEST(refusal(spki_hex + "\nhello\n") ==
               "line 2: \"hello\" is no fingerprint: expected 64, 30 or 20 hexadecimal digits, base64 of 32 octets, or PEM");
    BOOST_TEST(refusal(spki_hex.substr(1)).starts_with("line 1: "));
    BOOST_TEST(refusal("AAAAAAAAAAAAAAAAAAAA").starts_with("line 1: ") == false);  // twenty hexadecimal digits
    BOOST_TEST(refusal("zzzzzzzzzzzzzzzzzzzz").starts_with("line 1: "));           // base64 of fifteen octets
    BOOST_TEST(refusal("\n-----BEGIN PUBLIC KEY-----\nAAAA\n").starts_with("line 2: the PEM block has no END line"));
    BOOST_TEST(refusal("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n").starts_with("line 1: "));
    BOOST_TEST(refusal(data("keys/rfc9500-p256.key.pem"), KeyListFormat::fingerprints).starts_with("line 1: a PEM block"));
    BOOST_TEST(refusal(std::string(17, 'x'), KeyListFormat::badkeys).find("no multiple of 16") != std::string::npos);
    BOOST_TEST(refusal(std::string(70'000, 'a')).find("longer than any") != std::string::npos);
    BOOST_TEST(!app::key_list_format_from("csv").has_value());
    BOOST_TEST((app::key_list_format_from("badkeys") == KeyListFormat::badkeys));
}

BOOST_AUTO_TEST_SUITE_END()
