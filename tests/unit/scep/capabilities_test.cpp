#include "scep/capabilities.hpp"

#include <boost/test/unit_test.hpp>

#include "scep/fail_map.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
using crypto::CmsCipher;
using crypto::CmsDigest;

BOOST_AUTO_TEST_SUITE(scep_capabilities)

BOOST_AUTO_TEST_CASE(they_say_what_policy_allows_line_by_line) {
    scep::MessagePolicy policy;
    BOOST_TEST(scep::capabilities(policy, false) == "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard");
    BOOST_TEST(scep::capabilities(test::legacy_policy(), true) ==
               "AES\nDES3\nGetNextCACert\nPOSTPKIOperation\nRenewal\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard");
    policy.renewal = false;
    policy.digests = {CmsDigest::sha512};
    BOOST_TEST(scep::capabilities(policy, false) == "AES\nPOSTPKIOperation\nSHA-512");
    policy.ciphers = {CmsCipher::aes256_cbc};
    policy.digests = {CmsDigest::sha256};
    BOOST_TEST(scep::capabilities(policy, false) == "POSTPKIOperation\nSHA-256");
}

BOOST_AUTO_TEST_CASE(no_carriage_return_no_space_no_update_in_any_policy) {
    for (unsigned bits = 0; bits < 64; ++bits) {
        scep::MessagePolicy policy;
        policy.digests.clear();
        policy.ciphers.clear();
        if ((bits & 1U) != 0) policy.digests.push_back(CmsDigest::sha1);
        if ((bits & 2U) != 0) policy.digests.push_back(CmsDigest::sha256);
        if ((bits & 4U) != 0) policy.ciphers.push_back(CmsCipher::des_ede3_cbc);
        if ((bits & 8U) != 0) policy.ciphers.push_back(CmsCipher::aes128_cbc);
        policy.renewal = (bits & 16U) != 0;
        const std::string text = scep::capabilities(policy, (bits & 32U) != 0);
        BOOST_TEST(text.find_first_of("\r ") == std::string::npos);
        BOOST_TEST(text.find("Update") == std::string::npos);
        BOOST_TEST(!text.empty());
        BOOST_TEST(text.back() != '\n');
        BOOST_TEST(test::contains(text, "SCEPStandard") == ((bits & 10U) == 10U));
    }
}

BOOST_AUTO_TEST_CASE(answers_mirror_the_request_within_policy) {
    const scep::MessagePolicy usual;
    BOOST_TEST((usual.reply_cipher(CmsCipher::aes256_cbc) == CmsCipher::aes256_cbc));
    BOOST_TEST((usual.reply_cipher(CmsCipher::des_ede3_cbc) == CmsCipher::aes128_cbc));
    BOOST_TEST((usual.reply_cipher(std::nullopt) == CmsCipher::aes128_cbc));
    BOOST_TEST((test::legacy_policy().reply_cipher(CmsCipher::des_ede3_cbc) == CmsCipher::des_ede3_cbc));
    BOOST_TEST((usual.reply_digest(CmsDigest::sha512) == CmsDigest::sha512));
    BOOST_TEST((usual.reply_digest(CmsDigest::sha1) == CmsDigest::sha256));
    scep::MessagePolicy narrow;
    narrow.ciphers = {CmsCipher::aes256_cbc};
    narrow.digests = {CmsDigest::sha512};
    BOOST_TEST((narrow.reply_cipher(CmsCipher::aes128_cbc) == CmsCipher::aes256_cbc));
    BOOST_TEST((narrow.reply_digest(std::nullopt) == CmsDigest::sha512));
}

BOOST_AUTO_TEST_CASE(refusals_have_the_numbers_of_the_rfc) {
    using scep::FailInfo;
    BOOST_TEST(static_cast<int>(FailInfo::bad_alg) == 0);
    BOOST_TEST(static_cast<int>(FailInfo::bad_message_check) == 1);
    BOOST_TEST(static_cast<int>(FailInfo::bad_request) == 2);
    BOOST_TEST(static_cast<int>(FailInfo::bad_time) == 3);
    BOOST_TEST(static_cast<int>(FailInfo::bad_cert_id) == 4);
    BOOST_TEST(to_string(FailInfo::bad_cert_id) == "badCertId");
    BOOST_TEST((scep::fail_info(core::ProblemKind::unsupported) == FailInfo::bad_alg));
    BOOST_TEST((scep::fail_info(core::ProblemKind::bad_public_key) == FailInfo::bad_alg));
    BOOST_TEST((scep::fail_info(core::ProblemKind::unauthenticated) == FailInfo::bad_message_check));
    BOOST_TEST((scep::fail_info(core::ProblemKind::not_found) == FailInfo::bad_cert_id));
    BOOST_TEST((scep::fail_info(core::ProblemKind::rejected_identifier) == FailInfo::bad_request));
    BOOST_TEST((scep::fail_info(core::ProblemKind::internal) == FailInfo::bad_request));
}

BOOST_AUTO_TEST_SUITE_END()
