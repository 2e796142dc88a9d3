#include "scep/reply.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
namespace der = crypto::der;
using crypto::CmsSignedData;
using scep::FailInfo;
using scep::ReplyTo;
using test::contains;
using test::Letter;
using test::scep_file;

namespace {

const scep::MessagePolicy& policy() {
    static const scep::MessagePolicy value = test::legacy_policy();
    return value;
}
ReplyTo reply_to(std::string_view file) { return {test::verified(scep_file(file), policy()).value(), policy()}; }

/// The text of a PrintableString attribute, or the refusal.
std::string text(const CmsSignedData& message, std::string_view oid, std::uint8_t tag = der::printable_string) {
    const auto value = message.attribute(oid, tag);
    return value ? std::string(core::as_text(*value)) : "none: " + value.error().detail;
}

/// Whether tag, length and value of that attribute stand in the octets as Apple compares them.
bool stands(core::BytesView message, std::uint8_t tag, std::string_view value) {
    der::Writer wanted;
    wanted.begin(der::set).text(tag, value).end();
    return contains(core::as_text(message), core::as_text(wanted.bytes()));
}

/// Runs openssl in a folder that has the message, the RA's certificate and the device's key and certificate.
test::Outcome openssl(const std::string& arguments, core::BytesView message) {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("reply", message);
    folder.write("ra.der", scep_file("ra.der"));
    folder.write("device.der", scep_file("device.der"));
    folder.write("device.key", scep_file("device.key.pem"));
    folder.write("nothing", "");
    return test::run("cd " + path.substr(0, path.size() - 5) + " && " + arguments);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scep_reply)

BOOST_AUTO_TEST_CASE(a_success_is_signed_by_the_ra_and_opens_with_the_device_s_key) {
    const core::Bytes leaf = scep_file("device-issued.der");
    const std::vector<core::Bytes> chain{scep_file("issuer.der"), scep_file("root.der")};
    for (const auto* file : {"sscep.der", "sscep-legacy.der", "apple.der", "oaep.der", "aes192.der", "sha512.der", "strongswan.der"}) {
        BOOST_TEST_CONTEXT(file) {
            const ReplyTo to = reply_to(file);
            const auto sent = scep::reply_certificates(leaf, chain, scep::ReplyChain::leaf_and_chain);
            const core::Bytes reply = scep::cert_rep_success(to, sent, {}, test::ra(), test::randomness());
            const auto message = CmsSignedData::parse(reply);
            BOOST_REQUIRE(message.has_value());
            BOOST_TEST((message->verify()->certificate.der() == test::ra().certificate.der()));
            BOOST_TEST((message->digest() == to.digest));
            BOOST_TEST(message->certificates().size() == 1U);
            BOOST_TEST(text(*message, scep::oid_message_type) == "3");
            BOOST_TEST(text(*message, scep::oid_pki_status) == "0");
            BOOST_TEST(text(*message, scep::oid_transaction_id) == to.transaction_id);
            BOOST_TEST(contains(text(*message, scep::oid_fail_info), "is missing"));
            const auto envelope = crypto::CmsEnvelopedData::parse(*message->content());
            BOOST_TEST((envelope->cipher() == to.cipher));

            if (to.recipient->certificate.der() != scep_file("device.der")) continue;  // the certificate is in that message alone
            const auto shown = openssl("openssl x509 -inform DER -in ra.der -out ra.pem && openssl cms -verify -binary -inform DER -in reply -certfile ra.pem -noverify -out envelope && "
                                       "openssl x509 -inform DER -in device.der -out device.pem && openssl cms -decrypt -binary -inform DER -in envelope -recip device.pem "
                                       "-inkey device.key -out bag && openssl pkcs7 -inform DER -in bag -print_certs -noout", reply);
            BOOST_TEST(shown.status == 0, shown.output);
            const auto first = shown.output.find("CN = device-7");
            BOOST_TEST(first != std::string::npos, shown.output);
            BOOST_TEST(first < shown.output.find("subject=CN = Postern Test Issuing CA"));
            BOOST_TEST(shown.output.find("subject=CN = Postern Test Issuing CA") < shown.output.find("subject=CN = Postern Test Root"));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_leaf_stands_alone_or_before_its_chain) {
    const std::vector<core::Bytes> chain{core::Bytes{2}, core::Bytes{3}};
    BOOST_TEST((scep::reply_certificates(core::Bytes{1}, chain, scep::ReplyChain::leaf) == std::vector<core::Bytes>{{1}}));
    BOOST_TEST((scep::reply_certificates(core::Bytes{1}, chain, scep::ReplyChain::leaf_and_chain) == std::vector<core::Bytes>{{1}, {2}, {3}}));
}

// The envelope is for one recipient, whose name and serial are those of the request's certificate, byte for byte.
BOOST_AUTO_TEST_CASE(an_apple_and_a_windows_signer_can_open_their_answer) {
    for (const auto* file : {"apple.der", "windows.der", "strongswan.der", "cisco.der"}) {
        const auto request = test::verified(scep_file(file), policy()).value();
        const core::Bytes reply = scep::cert_rep_success(ReplyTo(request, policy()), std::vector<core::Bytes>{scep_file("device-issued.der")}, {}, test::ra(), test::randomness());
        const auto envelope = crypto::CmsEnvelopedData::parse(*CmsSignedData::parse(reply)->content());
        const std::vector<crypto::CmsIdentity> keys{test::ra(), crypto::CmsIdentity(request.signer().certificate, test::device().key)};
        BOOST_TEST((envelope->addressed_to(keys) == std::optional<std::size_t>(1)));
        // Windows and Cisco made keys of their own; the others have the device's.
        const bool own = request.signer().key.spki() == test::device().key.public_key().spki();
        BOOST_TEST(envelope->open(keys, test::randomness()).has_value() == own);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_says_why_and_has_no_content) {
    const ReplyTo to = reply_to("sscep.der");
    const core::Bytes reply = scep::cert_rep_failure(to, FailInfo::bad_cert_id, "no such request: gr\xc3\xbc\xc3\x9f", test::ra(), test::randomness());
    const auto message = CmsSignedData::parse(reply);
    BOOST_REQUIRE(message.has_value());
    BOOST_TEST(!message->content().has_value());
    BOOST_TEST(message->verify().has_value());
    BOOST_TEST(text(*message, scep::oid_message_type) == "3");
    BOOST_TEST(text(*message, scep::oid_pki_status) == "2");
    BOOST_TEST(text(*message, scep::oid_fail_info) == "4");
    BOOST_TEST(text(*message, scep::oid_fail_info_text, der::utf8_string) == "no such request: gr\xc3\xbc\xc3\x9f");
    const auto checked = openssl("openssl x509 -inform DER -in ra.der -out ra.pem && openssl cms -verify -binary -inform DER -in reply -noverify -content nothing -out /dev/null && "
                                 "openssl cms -cmsout -print -inform DER -in reply", reply);
    BOOST_TEST(checked.status == 0, checked.output);
    BOOST_TEST(contains(checked.output, "eContent: <ABSENT>"), checked.output);
    const auto quiet = CmsSignedData::parse(scep::cert_rep_failure(to, FailInfo::bad_request, "", test::ra(), test::randomness()));
    BOOST_TEST(contains(text(*quiet, scep::oid_fail_info_text, der::utf8_string), "is missing"));
}

BOOST_AUTO_TEST_CASE(every_fail_info_is_its_digit) {
    const ReplyTo to = reply_to("sscep.der");
    for (const auto fail : {FailInfo::bad_alg, FailInfo::bad_message_check, FailInfo::bad_request, FailInfo::bad_time, FailInfo::bad_cert_id}) {
        const auto reply = CmsSignedData::parse(scep::cert_rep_failure(to, fail, "", test::ra(), test::randomness()));
        BOOST_TEST(text(*reply, scep::oid_fail_info) == std::to_string(static_cast<int>(fail)));
    }
}

BOOST_AUTO_TEST_CASE(pending_has_neither_content_nor_fail_info) {
    const core::Bytes reply = scep::cert_rep_pending(reply_to("sscep.der"), test::ra(), test::randomness());
    const auto message = CmsSignedData::parse(reply);
    BOOST_TEST(!message->content().has_value());
    BOOST_TEST(message->verify().has_value());
    BOOST_TEST(text(*message, scep::oid_pki_status) == "3");
    BOOST_TEST(contains(text(*message, scep::oid_fail_info), "is missing"));
}

BOOST_AUTO_TEST_CASE(nonces_are_the_request_s_and_fresh) {
    const auto request = test::verified(scep_file("strongswan.der")).value();
    const ReplyTo to(request, policy());
    const auto first = CmsSignedData::parse(scep::cert_rep_pending(to, test::ra(), test::randomness()));
    const auto second = CmsSignedData::parse(scep::cert_rep_pending(to, test::ra(), test::randomness()));
    BOOST_TEST((first->attribute(scep::oid_recipient_nonce, der::octet_string).value() == request.sender_nonce()));
    const auto one = first->attribute(scep::oid_sender_nonce, der::octet_string).value();
    const auto two = second->attribute(scep::oid_sender_nonce, der::octet_string).value();
    BOOST_TEST(one.size() == 16U);
    BOOST_TEST((one != two));
    BOOST_TEST((one != request.sender_nonce()));
}

// Apple compares tag and short length: 0x13 for text, 0x04 for nonces, 0x0C for failInfoText.
BOOST_AUTO_TEST_CASE(attributes_have_the_tags_that_apple_compares) {
    const ReplyTo to = reply_to("sscep.der");
    const core::Bytes reply = scep::cert_rep_failure(to, FailInfo::bad_request, "why", test::ra(), test::randomness());
    BOOST_TEST(stands(reply, 0x13, "3"));
    BOOST_TEST(stands(reply, 0x13, "2"));
    BOOST_TEST(stands(reply, 0x13, to.transaction_id));
    BOOST_TEST(stands(reply, 0x04, core::as_text(*to.sender_nonce)));
    BOOST_TEST(stands(reply, 0x0c, "why"));
    BOOST_TEST(!stands(reply, 0x0c, "2"));
    BOOST_TEST(to.transaction_id.size() < 128U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_verified_is_refused_in_the_same_shape) {
    Letter letter;
    core::Bytes broken = letter.build();
    broken.back() ^= 1;
    const auto received = scep::Received::read(broken).value();
    const ReplyTo to(received, scep::MessagePolicy());
    BOOST_TEST(!to.recipient.has_value());
    const auto reply = CmsSignedData::parse(scep::cert_rep_failure(to, FailInfo::bad_message_check, "", test::ra(), test::randomness()));
    BOOST_TEST(text(*reply, scep::oid_transaction_id) == "A1B2C3D4");
    BOOST_TEST(text(*reply, scep::oid_recipient_nonce, der::octet_string) == "0123456789abcdef");
    BOOST_CHECK_THROW(scep::cert_rep_success(to, std::vector<core::Bytes>{{1}}, {}, test::ra(), test::randomness()), std::logic_error);
    // A digest that is not allowed is not mirrored.
    BOOST_TEST((ReplyTo(scep::Received::read(scep_file("bad-md5.der")).value(), scep::MessagePolicy()).digest == crypto::CmsDigest::sha256));
    BOOST_TEST((ReplyTo(scep::Received::read(scep_file("sscep-legacy.der")).value(), scep::MessagePolicy()).digest == crypto::CmsDigest::sha256));
    BOOST_TEST((ReplyTo(scep::Received::read(scep_file("sscep-legacy.der")).value(), policy()).digest == crypto::CmsDigest::sha1));
}

BOOST_AUTO_TEST_CASE(a_crl_goes_where_crls_go) {
    const core::Bytes crl{0x30, 0x03, 0x02, 0x01, 0x07};
    const core::Bytes bag = crypto::cms_certificates({}, std::vector<core::Bytes>{crl});
    der::Writer wanted;
    wanted.primitive(der::context_constructed(1), crl);
    BOOST_TEST(contains(core::as_text(bag), core::as_text(wanted.bytes())));
}

BOOST_AUTO_TEST_SUITE_END()
