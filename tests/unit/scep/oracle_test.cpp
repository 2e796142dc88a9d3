// S13, A15: whoever does not know what is in an envelope learns nothing from how it is refused.
#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "scep/reply.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
namespace der = crypto::der;
using scep::SignerStanding;
using test::Letter;
using test::refused;
using test::scep_file;

namespace {

/// Where the encrypted key of an envelope made here begins, and its ciphertext ends.
struct Places {
    std::size_t key, key_size;
};
Places places(core::BytesView envelope) {
    // The only OCTET STRING of 256 octets: 04 82 01 00.
    const core::Bytes head{0x04, 0x82, 0x01, 0x00};
    const auto at = std::ranges::search(envelope, head);
    BOOST_REQUIRE(!at.empty());
    return {static_cast<std::size_t>(at.begin() - envelope.begin()) + 4, 256};
}

core::Bytes good_envelope(core::BytesView content) {
    return crypto::cms_envelope(content, test::party_of(test::ra()), crypto::CmsCipher::aes128_cbc, test::randomness());
}
/// The same frames with another encrypted key.
core::Bytes with_key(core::Bytes envelope, core::BytesView key) {
    std::ranges::copy(key, envelope.begin() + static_cast<std::ptrdiff_t>(places(envelope).key));
    return envelope;
}
core::Bytes key_of(core::BytesView envelope) {
    const auto at = places(envelope);
    return core::to_bytes(envelope.subspan(at.key, at.key_size));
}

/// A FAILURE without what differs each time: the two nonces and what is computed from them.
std::string masked(const core::Result<scep::Opened>& result, core::BytesView message) {
    BOOST_REQUIRE(!result.has_value());
    const auto received = scep::Received::read(message).value();
    const auto reply = crypto::CmsSignedData::parse(scep::cert_rep_failure(scep::ReplyTo(received, {}), scep::fail_info(result.error().kind),
                                                                          result.error().detail, test::ra(), test::randomness()));
    std::string out;
    for (const auto& [oid, tag] : {std::pair{scep::oid_message_type, der::printable_string}, {scep::oid_pki_status, der::printable_string},
                                   {scep::oid_fail_info, der::printable_string}, {scep::oid_fail_info_text, der::utf8_string}, {scep::oid_recipient_nonce, der::octet_string}})
        out += std::string(core::as_text(reply->attribute(oid, tag).value())) + "|";
    return out + (reply->content() ? "content" : "none");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scep_oracle)

BOOST_AUTO_TEST_CASE(wrong_paddings_keys_and_contents_are_one_refusal) {
    const core::Bytes csr = scep_file("challenge-printable.csr");
    const core::Bytes captured = good_envelope(csr);
    const core::Bytes other = good_envelope(csr);
    std::vector<std::pair<std::string, core::Bytes>> envelopes;
    core::Bytes number = test::randomness().bytes(256);  // below the modulus, and no PKCS #1 v1.5
    number[0] = 0;
    envelopes.emplace_back("padding", with_key(captured, number));
    envelopes.emplace_back("number beyond the modulus", with_key(captured, core::Bytes(256, 0xff)));
    envelopes.emplace_back("zero", with_key(captured, core::Bytes(256, 0)));
    envelopes.emplace_back("another content's key", with_key(captured, key_of(other)));
    // A key of 24 octets, rightly padded, where 16 are wanted.
    envelopes.emplace_back("key of another size", with_key(captured, key_of(crypto::cms_envelope(csr, test::party_of(test::ra()), crypto::CmsCipher::aes192_cbc, test::randomness()))));
    core::Bytes last = captured;
    last.back() ^= 1;
    envelopes.emplace_back("content padding", last);
    core::Bytes first = captured;
    first[places(captured).key + 256 + 60] ^= 1;
    envelopes.emplace_back("content octet or vector", first);
    envelopes.emplace_back("no CSR", good_envelope(core::Bytes(700, 0x41)));
    envelopes.emplace_back("empty", good_envelope({}));
    envelopes.emplace_back("CSR of another key", crypto::CmsSignedData::parse(scep_file("bad-other-key.der"))->content().value());

    std::string expected;
    for (const auto& [name, envelope] : envelopes) {
        Letter letter;
        letter.envelope = envelope;
        const core::Bytes message = letter.build();
        const auto refusal = test::opened(message);
        BOOST_TEST(refused(refusal) == "unauthenticated scep.envelope: the message cannot be opened", name << ": " << refused(refusal));
        const std::string bytes = masked(refusal, message);
        if (expected.empty()) expected = bytes;
        BOOST_TEST(bytes == expected, name);
    }
    BOOST_TEST(expected == "3|2|1|the message cannot be opened|0123456789abcdef|none");
}

BOOST_AUTO_TEST_CASE(a_captured_envelope_changed_anywhere_tells_nothing) {
    const core::Bytes captured = good_envelope(scep_file("challenge-utf8.csr"));
    const std::size_t begin = places(captured).key;
    // Signed by somebody else: each message is judged with a key that is not the signer's.
    for (std::size_t at = begin; at < captured.size(); at += 7) {
        core::Bytes changed = captured;
        changed[at] ^= 0x40;
        Letter letter;
        letter.envelope = changed;
        letter.signer = test::old_ra();
        const auto refusal = test::opened(letter.build());
        const std::string said = refused(refusal);
        // The frame between key and content is the sender's own to read.
        if (said.starts_with("malformed") || said.starts_with("unsupported")) {
            BOOST_TEST(at >= begin + 256);
            BOOST_TEST(at < begin + 256 + 60);
            continue;
        }
        BOOST_TEST(said == "unauthenticated scep.envelope: the message cannot be opened", at);
    }
}

BOOST_AUTO_TEST_CASE(a_csr_s_own_faults_are_told_to_who_put_their_key_in) {
    core::Bytes broken = scep_file("challenge-printable.csr");
    broken.back() ^= 1;
    Letter own;
    own.content = broken;
    BOOST_TEST(test::contains(refused(test::opened(own.build())), "bad_csr scep.csr: the CSR is refused: its signature does not verify"));
    Letter foreign = own;
    foreign.signer = test::old_ra();
    scep::OpenCause cause{};
    BOOST_TEST(refused(test::opened(foreign.build(), SignerStanding::on_record, {}, &cause)) == "unauthenticated scep.envelope: the message cannot be opened");
    BOOST_TEST((cause == scep::OpenCause::csr));
    // From a stranger nothing of it is read but its key.
    BOOST_TEST(refused(test::opened(foreign.build(), SignerStanding::stranger, {}, &cause)) == "unauthenticated scep.envelope: the message cannot be opened");
    BOOST_TEST((cause == scep::OpenCause::foreign_key));
    foreign.content = core::Bytes(700, 0x41);
    BOOST_TEST(refused(test::opened(foreign.build(), SignerStanding::stranger, {}, &cause)) == "unauthenticated scep.envelope: the message cannot be opened");
    BOOST_TEST((cause == scep::OpenCause::csr));
}

BOOST_AUTO_TEST_CASE(the_content_of_another_message_type_is_the_same_refusal) {
    for (const auto* type : {"20", "21", "22"}) {
        Letter letter;
        letter.replace(scep::oid_message_type, der::printable_string, type);
        letter.content = core::Bytes{0x30, 0x00};
        scep::OpenCause cause{};
        const auto refusal = test::opened(letter.build(), SignerStanding::on_record, {}, &cause);
        BOOST_TEST(refused(refusal) == "unauthenticated scep.envelope: the message cannot be opened");
        BOOST_TEST((cause == scep::OpenCause::content));
    }
}

BOOST_AUTO_TEST_SUITE_END()
