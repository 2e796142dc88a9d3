#include <boost/test/unit_test.hpp>

#include "azure/challenge.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/der.hpp"

/// A challenge is known again, however it is spelled.
BOOST_AUTO_TEST_SUITE(azure_challenge)

using namespace postern;
using azure::challenge_identity;

namespace {

namespace der = crypto::der;

/// A SignedData around `content`, with what anybody may add to it.
core::Bytes signed_message(std::string_view content, std::string_view unsigned_part = "unsigned") {
    der::Writer w;
    w.begin(der::sequence).oid("1.2.840.113549.1.7.2").begin(der::context_constructed(0)).begin(der::sequence).small_integer(1).begin(der::set).end();
    w.begin(der::sequence).oid("1.2.840.113549.1.7.1").begin(der::context_constructed(0)).primitive(der::octet_string, core::as_bytes(content)).end().end();
    w.begin(der::set).primitive(der::octet_string, core::as_bytes(unsigned_part)).end().end().end().end();
    return w.take();
}

/// The same with lengths that only BER allows: indefinite around everything, and the content in two pieces.
core::Bytes rewritten(std::string_view content) {
    const auto half = content.size() / 2;
    const auto piece = [](std::string_view text) {
        core::Bytes out{0x04, static_cast<std::uint8_t>(text.size())};
        out.insert(out.end(), text.begin(), text.end());
        return out;
    };
    core::Bytes out{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x31, 0x00,
                    0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x24, 0x80};
    for (const auto part : {content.substr(0, half), content.substr(half)}) {
        const auto octets = piece(part);
        out.insert(out.end(), octets.begin(), octets.end());
    }
    out.insert(out.end(), 12, 0x00);
    return out;
}

std::string spelled(core::BytesView octets) { return core::base64(octets); }

}  // namespace

BOOST_AUTO_TEST_CASE(white_space_padding_alphabet_and_stray_bits_are_spelling) {
    const core::Bytes octets{0xfb, 0xff, 0x01, 0x02};
    const auto identity = challenge_identity(spelled(octets));
    BOOST_TEST(spelled(octets) == "+/8BAg==");
    for (const auto* other : {" +/8B\tAg==", "+/8B\r\nAg==\n", "+/8BAg", "+/8BAg=", "-_8BAg==", "+/8BAh==", "+/8B.Ag==", "+/8BAg==\xc2\xa0"})
        BOOST_TEST((challenge_identity(other) == identity), other);
    BOOST_TEST((identity == octets));
    BOOST_TEST((challenge_identity("+/8BAw==") != identity || challenge_identity("+/8BBg==") != identity));
}

BOOST_AUTO_TEST_CASE(of_a_signed_message_what_is_signed_counts) {
    const std::string content = "the sealed challenge of this device";
    const auto identity = challenge_identity(spelled(signed_message(content)));
    BOOST_TEST((identity == core::to_bytes(core::as_bytes(content))));
    BOOST_TEST((challenge_identity(spelled(rewritten(content))) == identity));
    BOOST_TEST((challenge_identity(spelled(signed_message(content, "something else that nobody signed"))) == identity));
    auto longer = signed_message(content);
    longer.insert(longer.end(), {0x05, 0x00});
    BOOST_TEST((challenge_identity(spelled(longer)) == identity));
    BOOST_TEST((challenge_identity(spelled(signed_message("the sealed challenge of another"))) != identity));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_stands_for_itself) {
    BOOST_TEST((challenge_identity("!!") == core::Bytes{'!', '!'}));
    BOOST_TEST((challenge_identity("!!") != challenge_identity("??")));
    const core::Bytes cut{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0};
    BOOST_TEST((challenge_identity(spelled(cut)) == cut));
    const auto empty = signed_message("");
    BOOST_TEST((challenge_identity(spelled(empty)) == empty));
}

BOOST_AUTO_TEST_SUITE_END()
