#include "scep/message.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "scep/fail_map.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
namespace der = crypto::der;
using scep::MessageType;
using scep::SignerStanding;
using test::contains;
using test::Letter;
using test::opened;
using test::refused;
using test::scep_file;
using test::verified;

BOOST_AUTO_TEST_SUITE(scep_message)

BOOST_AUTO_TEST_CASE(what_clients_send_is_read) {
    struct Row {
        std::string_view file, subject, challenge;
        crypto::CmsDigest digest = crypto::CmsDigest::sha256;
        crypto::CmsCipher cipher = crypto::CmsCipher::aes128_cbc;
    };
    using crypto::CmsCipher;
    using crypto::CmsDigest;
    const Row table[] = {
        {"sscep.der", "CN=device-7,O=Example", "correct horse"},
        {"sscep-legacy.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha1, CmsCipher::des_ede3_cbc},
        {"apple.der", "CN=device-7,O=Example", "correct horse"},
        {"cisco.der", "1.2.840.113549.1.9.2=router.example,serialNumber=FTX1234A0BC", "correct horse"},
        {"oaep.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha256, CmsCipher::aes256_cbc},
        {"oaep-sha256.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha256, CmsCipher::aes256_cbc},
        {"aes192.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha256, CmsCipher::aes192_cbc},
        {"by-key-identifier.der", "CN=device-7,O=Example", "correct horse"},
        {"for-old-ra.der", "CN=device-7,O=Example", "correct horse"},
        {"sha512.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha512},
        {"strongswan.der", "CN=device-7,O=Example", "correct horse"},
        {"strongswan-legacy.der", "CN=device-7,O=Example", "correct horse", CmsDigest::sha1, CmsCipher::des_ede3_cbc},
    };
    for (const auto& row : table) {
        BOOST_TEST_CONTEXT(row.file) {
            const core::Bytes message = scep_file(row.file);
            const auto request = verified(message, test::legacy_policy());
            BOOST_REQUIRE_MESSAGE(request.has_value(), refused(request));
            BOOST_TEST((request->type() == MessageType::pkcs_req));
            BOOST_TEST((request->digest() == row.digest));
            BOOST_TEST((request->cipher() == row.cipher));
            BOOST_TEST(request->sender_nonce().size() == 16U);
            scep::OpenCause cause{};
            const auto letter = scep::open(*request, test::ra_keys(), SignerStanding::stranger, test::legacy_policy(), test::randomness(), &cause);
            BOOST_REQUIRE_MESSAGE(letter.has_value(), refused(letter) << ", " << to_string(cause));
            const auto& csr = std::get<crypto::Csr>(letter->content);
            BOOST_TEST(csr.subject().to_text() == row.subject);
            BOOST_TEST(csr.challenge_password() == row.challenge);
            BOOST_TEST(letter->signer_key_requested);
            BOOST_TEST(letter->key == (row.file == "for-old-ra.der" ? 1U : 0U));
            BOOST_TEST((csr.key().spki() == request->signer().key.spki()));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_apple_signer_has_another_subject_and_indefinite_lengths) {
    const core::Bytes message = scep_file("apple.der");
    BOOST_TEST(message[1] == 0x80);
    const auto request = verified(message);
    BOOST_REQUIRE(request.has_value());
    const auto name = crypto::DistinguishedName::parse(request->signer().certificate.subject_der());
    BOOST_TEST(name->to_text() == "CN=6B1F8E0A-55C1-4C6A-9C0F-0D1F1C7F2A11");
    BOOST_TEST(request->transaction_id().size() == 40U);
}

BOOST_AUTO_TEST_CASE(a_windows_message_carries_intune_s_challenge) {
    const auto letter = opened(scep_file("windows.der"));
    BOOST_REQUIRE_MESSAGE(letter.has_value(), refused(letter));
    const auto& csr = std::get<crypto::Csr>(letter->content);
    BOOST_TEST(csr.challenge_password().size() == 4000U);
    BOOST_TEST((csr.extended_key_usage() == std::vector<std::string>{"1.3.6.1.5.5.7.3.2"}));
    BOOST_REQUIRE(csr.alt_names().size() == 1U);
    BOOST_TEST(csr.alt_names()[0].value == "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500");
    BOOST_TEST((csr.unread_attributes() == std::vector<std::string>{"1.3.6.1.4.1.311.13.2.3", "1.3.6.1.4.1.311.21.20"}));
}

BOOST_AUTO_TEST_CASE(renewals_are_signed_by_the_old_certificate_and_may_have_a_new_key) {
    for (const auto* file : {"renewal.der", "renewal-as-pkcsreq.der", "strongswan-renewal.der"}) {
        const auto letter = opened(scep_file(file), SignerStanding::on_record);
        BOOST_REQUIRE_MESSAGE(letter.has_value(), file << ": " << refused(letter));
        BOOST_TEST(!letter->signer_key_requested);
        const auto request = verified(scep_file(file));
        BOOST_TEST((request->signer_sha256() == crypto::sha256(scep_file("device-issued.der"))));
    }
    BOOST_TEST((verified(scep_file("renewal.der"))->type() == MessageType::renewal_req));
    BOOST_TEST((verified(scep_file("strongswan-renewal.der"))->type() == MessageType::renewal_req));
    BOOST_TEST((verified(scep_file("renewal-as-pkcsreq.der"))->type() == MessageType::pkcs_req));
}

BOOST_AUTO_TEST_CASE(the_other_messages_name_certificates) {
    const auto poll = opened(scep_file("cert-poll.der"));
    BOOST_REQUIRE_MESSAGE(poll.has_value(), refused(poll));
    BOOST_TEST((std::get<scep::IssuerAndSubject>(poll->content).subject_der == test::device().certificate.subject_der()));
    const auto issuer = test::scep_certificate("issuer");
    for (const auto* file : {"get-cert.der", "get-crl.der"}) {
        const auto letter = opened(scep_file(file), SignerStanding::on_record);
        BOOST_REQUIRE_MESSAGE(letter.has_value(), refused(letter));
        const auto& name = std::get<scep::IssuerAndSerial>(letter->content);
        BOOST_TEST((name.issuer_der == issuer.subject_der()));
        BOOST_TEST((name.serial == test::issued_device().certificate.serial()));
    }
}

// A2, S01, A18: everything but the five is refused, and refusals can be addressed.
BOOST_AUTO_TEST_CASE(every_other_message_type_is_refused) {
    std::vector<std::string> values{"", "019", " 19", "19 ", "+19", "0x13", "19\n", "1", "3", "18", "99", "PKCSReq", "1919", std::string(200, '9')};
    for (int number = 0; number < 256; ++number) {
        values.push_back(std::to_string(number));
        values.push_back(std::string(1, static_cast<char>(number)));
    }
    std::size_t accepted = 0;
    for (const auto& value : values) {
        const bool known = value == "17" || value == "19" || value == "20" || value == "21" || value == "22";
        const auto type = scep::message_type_from(value);
        BOOST_TEST(type.has_value() == known);
        accepted += known ? 1U : 0U;
        if (known) continue;
        Letter letter;
        letter.replace(scep::oid_message_type, der::printable_string, value);
        const core::Bytes message = letter.build();
        BOOST_TEST(scep::Received::read(message)->transaction_id() == "A1B2C3D4");
        const auto request = verified(message);
        BOOST_TEST(contains(refused(request), "malformed scep.message_type: the messageType is none that a client sends"), value << ": " << refused(request));
        BOOST_TEST((scep::fail_info(request.error().kind) == scep::FailInfo::bad_request));
    }
    BOOST_TEST(accepted == 5U);
}

// A9, byte-wise tags.
BOOST_AUTO_TEST_CASE(attributes_have_exactly_one_value_of_exactly_their_type) {
    using Change = void (*)(Letter&);
    struct Row {
        std::string_view name;
        Change change;
        std::string_view expected;
    };
    const Row table[] = {
        {"type absent", [](Letter& l) { l.without(scep::oid_message_type); }, "scep.message_type: the signed attribute 2.16.840.1.113733.1.9.2 is missing"},
        {"type twice", [](Letter& l) { l.with(scep::oid_message_type, der::printable_string, "18"); }, "scep.message_type: the signed attribute 2.16.840.1.113733.1.9.2 is there twice"},
        {"the same type twice", [](Letter& l) { l.with(scep::oid_message_type, der::printable_string, "19"); }, "is there twice"},
        {"type UTF8", [](Letter& l) { l.replace(scep::oid_message_type, der::utf8_string, "19"); }, "has the wrong ASN.1 type"},
        {"type INTEGER", [](Letter& l) { l.replace(scep::oid_message_type, der::integer, "\x13"); }, "has the wrong ASN.1 type"},
        {"type OCTET STRING", [](Letter& l) { l.replace(scep::oid_message_type, der::octet_string, "19"); }, "has the wrong ASN.1 type"},
        {"id absent", [](Letter& l) { l.without(scep::oid_transaction_id); }, "scep.transaction_id: the signed attribute 2.16.840.1.113733.1.9.7 is missing"},
        {"id twice", [](Letter& l) { l.with(scep::oid_transaction_id, der::printable_string, "B"); }, "is there twice"},
        {"id UTF8", [](Letter& l) { l.replace(scep::oid_transaction_id, der::utf8_string, "B"); }, "has the wrong ASN.1 type"},
        {"nonce absent", [](Letter& l) { l.without(scep::oid_sender_nonce); }, "scep.sender_nonce: the senderNonce is missing"},
        {"nonce printable", [](Letter& l) { l.replace(scep::oid_sender_nonce, der::printable_string, "0123456789abcdef"); }, "scep.sender_nonce"},
        {"nonce twice", [](Letter& l) { l.with(scep::oid_sender_nonce, der::octet_string, "0123456789abcdef"); }, "scep.sender_nonce"},
        {"nonce short", [](Letter& l) { l.replace(scep::oid_sender_nonce, der::octet_string, "0123456"); }, "not an OCTET STRING of 8 to 64 octets"},
        {"nonce long", [](Letter& l) { l.replace(scep::oid_sender_nonce, der::octet_string, std::string(65, 'n')); }, "not an OCTET STRING of 8 to 64 octets"},
    };
    for (const auto& row : table) {
        Letter letter;
        row.change(letter);
        const auto request = verified(letter.build());
        BOOST_TEST(contains(refused(request), row.expected), row.name << ": " << refused(request));
    }
    BOOST_TEST(contains(refused(verified(scep_file("bad-two-values.der"))), "scep.message_type: the signed attribute 2.16.840.1.113733.1.9.2 has not exactly one value"));
    BOOST_TEST(contains(refused(verified(scep_file("bad-unsigned.der"))), "scep.message_type: the signed attribute 2.16.840.1.113733.1.9.2 is missing"));
}

// A11.
BOOST_AUTO_TEST_CASE(a_transaction_id_is_short_and_printable) {
    for (const std::string& good : {std::string("x"), std::string(255, 'a'), std::string("9P2xd9nbbm6bZNltFItCXtz979g="), std::string("'; DROP TABLE x --")}) {
        Letter letter;
        letter.replace(scep::oid_transaction_id, der::printable_string, good);
        const auto request = verified(letter.build());
        BOOST_REQUIRE(request.has_value());
        BOOST_TEST(request->transaction_id() == good);
    }
    for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string(10'000, 'a'), std::string("a\nb"), std::string("a\0b", 3), std::string("a\x1b[2J"),
                                   std::string("a\x7f"), std::string("caf\xc3\xa9")}) {
        Letter letter;
        letter.replace(scep::oid_transaction_id, der::printable_string, bad);
        const auto received = scep::Received::read(letter.build());
        BOOST_TEST(refused(received) == "malformed scep.transaction_id: the transactionID is not 1 to 255 printable characters");
    }
}

// A7, S04, A6.
BOOST_AUTO_TEST_CASE(a_stranger_asks_for_the_own_key_only) {
    scep::OpenCause cause{};
    const auto foreign = opened(scep_file("bad-other-key.der"), SignerStanding::stranger, {}, &cause);
    BOOST_TEST(refused(foreign) == "unauthenticated scep.envelope: the message cannot be opened");
    BOOST_TEST((cause == scep::OpenCause::foreign_key));
    BOOST_TEST((scep::fail_info(foreign.error().kind) == scep::FailInfo::bad_message_check));
    // On record (a renewal with a new key) it is opened, and says so; the CSR's own signature was checked.
    const auto renewal = opened(scep_file("bad-other-key.der"), SignerStanding::on_record);
    BOOST_REQUIRE(renewal.has_value());
    BOOST_TEST(!renewal->signer_key_requested);
}

BOOST_AUTO_TEST_CASE(a_stranger_does_not_renew) {
    scep::OpenCause cause{};
    Letter letter;
    letter.replace(scep::oid_message_type, der::printable_string, "17");
    const auto refusal = opened(letter.build(), SignerStanding::stranger, {}, &cause);
    BOOST_TEST(contains(refused(refusal), "unauthenticated scep.renewal_signer: a RenewalReq is signed with the certificate that it renews"));
    BOOST_TEST((cause == scep::OpenCause::renewal_by_stranger));
    scep::MessagePolicy none;
    none.renewal = false;
    BOOST_TEST(contains(refused(verified(letter.build(), none)), "forbidden scep.message_type: RenewalReq is not offered here"));
}

// A8: the certificate under whose key the signature verifies, wherever it stands in the bag.
BOOST_AUTO_TEST_CASE(of_two_certificates_of_one_name_the_verified_one_is_the_signer) {
    for (const auto* file : {"twins.der", "twins-reversed.der"}) {
        const auto request = verified(scep_file(file));
        BOOST_REQUIRE_MESSAGE(request.has_value(), refused(request));
        BOOST_TEST((request->signer().certificate.der() == test::device().certificate.der()));
        BOOST_TEST((request->signer().key.spki() == test::device().key.public_key().spki()));
    }
}

// A13, S10.
BOOST_AUTO_TEST_CASE(weak_algorithms_are_bad_alg_whatever_the_policy) {
    const std::pair<std::string_view, std::string_view> table[] = {
        {"bad-md5.der", "unsupported scep.digest: the digest MD5 is not allowed here; use SHA-256"},
        {"bad-des.der", "unsupported scep.cipher: the cipher DES-CBC is not allowed here; use AES-128-CBC"},
        {"bad-rc2.der", "unsupported scep.cipher: the cipher RC2-CBC is not allowed here"},
        {"scepclient.der", "unsupported scep.cipher: the cipher DES-CBC is not allowed here"},
        {"bad-rsa512.der", "bad_public_key scep.signature: the RSA key has only 512 bits"},
        {"bad-rsa1024.der", "bad_public_key scep.signature: the RSA key has only 1024 bits"},
        {"bad-kari.der", "unsupported scep.envelope: a recipient of the message uses key agreement (KARI); use RSA key transport"},
        {"bad-kekri.der", "unsupported scep.envelope: a recipient of the message uses a shared key (KEKRI)"},
        {"bad-pwri.der", "unsupported scep.envelope: a recipient of the message uses a password (PWRI)"},
    };
    for (const auto& [file, expected] : table) {
        const auto request = verified(scep_file(file), test::legacy_policy());
        BOOST_TEST(contains(refused(request), expected), file << ": " << refused(request));
        BOOST_TEST((scep::fail_info(request.error().kind) == scep::FailInfo::bad_alg));
    }
    BOOST_TEST(contains(refused(verified(scep_file("bad-gcm.der"))), "malformed scep.envelope: a CMS message of type EnvelopedData is wanted here, and this is AuthEnvelopedData"));
}

BOOST_AUTO_TEST_CASE(what_a_profile_does_not_allow_is_bad_alg) {
    BOOST_TEST(contains(refused(verified(scep_file("sscep-legacy.der"))), "unsupported scep.digest: the digest SHA-1 is not allowed here"));
    BOOST_TEST(contains(refused(verified(scep_file("scepclient.der"))), "the digest SHA-1 is not allowed here"));
    scep::MessagePolicy sha1_only = test::legacy_policy();
    sha1_only.ciphers = {crypto::CmsCipher::aes256_cbc};
    BOOST_TEST(contains(refused(verified(scep_file("sscep-legacy.der"), sha1_only)), "unsupported scep.cipher: the cipher 3DES is not allowed here"));
    scep::MessagePolicy long_keys;
    long_keys.least_rsa_bits = 3072;
    BOOST_TEST(contains(refused(verified(scep_file("sscep.der"), long_keys)), "bad_public_key scep.signer_key: the signer's RSA key has 2048 bits; at least 3072 are wanted"));
    // A CSR signed with SHA-1 needs the same leave.
    Letter letter;
    letter.content = scep_file("sha1.csr");
    BOOST_TEST(contains(refused(opened(letter.build())), "unsupported scep.csr: the CSR is refused: it is signed with SHA-1"));
    BOOST_TEST(opened(letter.build(), SignerStanding::stranger, test::legacy_policy()).has_value());
}

BOOST_AUTO_TEST_CASE(a_signer_without_an_rsa_key_cannot_be_answered) {
    Letter letter;
    const auto key = crypto::PrivateKey::generate(crypto::KeySpec());
    crypto::CertificateShape shape;
    shape.algorithm = key.default_algorithm();
    shape.issuer_der = test::device().certificate.subject_der();
    crypto::CertificateFields fields;
    fields.serial = core::Bytes(16, 7);
    fields.not_after = core::TimePoint(std::chrono::hours(24 * 365));
    fields.subject_der = shape.issuer_der;
    fields.spki = key.public_key().spki();
    fields.subject_key_id = key.public_key().key_identifier();
    const core::Bytes tbs = crypto::CertificateTemplate(shape).to_be_signed(fields);
    const core::Bytes certificate = crypto::assemble_signed(tbs, key.default_algorithm(), key.sign(key.default_algorithm(), tbs));
    letter.signer = crypto::CmsIdentity(crypto::CmsCertificate::parse(certificate).value(), key);
    BOOST_TEST(contains(refused(verified(letter.build())), "unsupported scep.signer_key: the signer's key is EC P-256; the answer is encrypted for it, which takes an RSA key"));
}

// S05.
BOOST_AUTO_TEST_CASE(broken_signatures_are_refused) {
    const core::Bytes good = Letter().build();
    BOOST_REQUIRE(verified(good).has_value());
    core::Bytes wrong = good;
    wrong.back() ^= 1;
    BOOST_TEST(refused(verified(wrong)) == "unauthenticated scep.signature: the signature of the message does not verify");
    // The content changed: an octet within the envelope's ciphertext, well behind the frames.
    core::Bytes content = good;
    content[content.size() / 4] ^= 1;
    BOOST_TEST(contains(refused(verified(content)), "unauthenticated scep.signature: the signed messageDigest is missing or is not that of the content"));
    BOOST_TEST(contains(refused(verified(scep_file("bad-two-signers.der"))), "unauthenticated scep.signature: the message has 2 signers; one is wanted"));
    // Somebody else's certificate.
    Letter stranger;
    stranger.signer.certificate = test::ra().certificate;
    BOOST_TEST(refused(verified(stranger.build())) == "unauthenticated scep.signature: the signature of the message does not verify");
    for (const auto* file : {"bad-two-signers.der"})
        BOOST_TEST((scep::fail_info(verified(scep_file(file)).error().kind) == scep::FailInfo::bad_message_check));
}

BOOST_AUTO_TEST_CASE(what_is_no_message_cannot_be_answered) {
    core::Bytes trailing = Letter().build();
    trailing.push_back(0);
    const std::pair<core::Bytes, std::string_view> table[] = {
        {{}, "and there is nothing"},
        {core::Bytes(256 * 1024 + 1, 0x30), "larger than 256 KiB"},
        {core::to_bytes(core::as_bytes("<html>")), "this is not the BER of one"},
        {trailing, "bytes follow the end"},
        {scep_file("device.der"), "does not begin with a content type"},
        {crypto::cms_envelope(core::Bytes(10), test::party_of(test::ra()), crypto::CmsCipher::aes128_cbc, test::randomness()), "type SignedData is wanted here, and this is EnvelopedData"},
        {crypto::cms_certificates({}), "nobody signed it"},
    };
    for (const auto& [bytes, expected] : table) {
        const auto received = scep::Received::read(bytes);
        BOOST_TEST(contains(refused(received), expected), refused(received));
        BOOST_TEST((received.error().kind == core::ProblemKind::malformed));
    }
    const core::Bytes good = scep_file("apple.der");
    for (std::size_t n = 0; n < good.size(); ++n) BOOST_TEST(!scep::Received::read(core::BytesView(good).first(n)).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_without_envelope_is_refused) {
    Letter letter;
    const core::Bytes message = crypto::cms_sign(std::nullopt, letter.attributes, letter.signer, letter.digest);
    BOOST_TEST(refused(verified(message)) == "malformed scep.envelope: the message has no envelope");
    letter.envelope = core::to_bytes(core::as_bytes("hello"));
    BOOST_TEST(contains(refused(verified(letter.build())), "malformed scep.envelope: a CMS message of type EnvelopedData is wanted here"));
}

// S16.
BOOST_AUTO_TEST_CASE(an_old_key_opens_messages_in_its_overlap_only) {
    const auto request = verified(scep_file("for-old-ra.der"));
    BOOST_REQUIRE(request.has_value());
    const std::vector<crypto::CmsIdentity> today{test::ra()};
    BOOST_TEST((request->envelope().addressed_to(test::ra_keys()) == std::optional<std::size_t>(1)));
    BOOST_TEST(!request->envelope().addressed_to(today).has_value());
    scep::OpenCause cause{};
    const auto refusal = scep::open(*request, today, SignerStanding::stranger, {}, test::randomness(), &cause);
    BOOST_TEST(contains(refused(refusal), "unauthenticated scep.recipient: the message is encrypted for none of the certificates in use here; fetch them anew (GetCACert)"));
    BOOST_TEST((cause == scep::OpenCause::recipient));
    BOOST_TEST(contains(refused(opened(scep_file("bad-recipient.der"))), "scep.recipient"));
}

// A17, the parsing part: what is asked for is seen, so that policy can drop or refuse it; X05, X07.
BOOST_AUTO_TEST_CASE(what_a_csr_asks_for_is_listed_and_nothing_is_hidden) {
    Letter letter;
    letter.content = scep_file("greedy.csr");
    const auto parsed = opened(letter.build());
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), refused(parsed));
    const auto& csr = std::get<crypto::Csr>(parsed->content);
    BOOST_TEST((csr.extension_oids() == std::vector<std::string>{"2.5.29.19", "2.5.29.15", "2.5.29.37", "1.3.6.1.4.1.311.25.2", "1.3.6.1.4.1.311.20.2", "2.5.29.17"}));
    BOOST_TEST((csr.extended_key_usage() == std::vector<std::string>{"2.5.29.37.0"}));
    BOOST_REQUIRE(csr.alt_names().size() == 2U);
    BOOST_TEST((csr.alt_names()[0].type == crypto::GeneralNameType::uri));
    BOOST_TEST(csr.alt_names()[0].value == "Tag:Microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500");
}

BOOST_AUTO_TEST_CASE(every_string_type_of_a_challenge_is_read_up_to_16_kib) {
    const std::pair<std::string_view, std::string> table[] = {
        {"printable", "correct horse"}, {"utf8", "geheim-\xc3\xbc-\xe2\x82\xac"}, {"ia5", "a@b"}, {"t61", "caf\xc3\xa9"}, {"bmp", "geheim-\xc3\xbc"},
        {"16k", std::string(16384, 'x')}, {"16k-in-bmp", std::string(16384, 'y')}};
    for (const auto& [file, expected] : table) {
        Letter letter;
        letter.content = scep_file("challenge-" + std::string(file) + ".csr");
        const auto parsed = opened(letter.build());
        BOOST_REQUIRE_MESSAGE(parsed.has_value(), file << ": " << refused(parsed));
        BOOST_TEST((std::get<crypto::Csr>(parsed->content).challenge_password() == expected));
    }
    Letter letter;
    letter.content = scep_file("challenge-16k-and-one.csr");
    BOOST_TEST(refused(opened(letter.build())) == "bad_csr scep.csr: the CSR is refused: its challengePassword is longer than 16 KiB");
}

BOOST_AUTO_TEST_SUITE_END()
