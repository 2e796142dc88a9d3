#include "scep/query.hpp"

#include <boost/test/unit_test.hpp>

#include "core/base/encoding.hpp"
#include "tests/unit/scep/support.hpp"

using namespace postern;
using scep::Operation;
using test::contains;
using test::refused;

namespace {

constexpr std::size_t most = 64 * 1024;

std::string percent_encoded(std::string_view text, std::string_view which) {
    std::string out;
    for (const char c : text) {
        if (which.find(c) == std::string_view::npos) {
            out += c;
            continue;
        }
        const auto octet = static_cast<std::uint8_t>(c);
        out += '%';
        for (const char digit : core::hex(core::BytesView(&octet, 1))) out += static_cast<char>(digit >= 'a' ? digit - 'a' + 'A' : digit);
    }
    return out;
}

/// Octets whose base64 has every character of the alphabet and padding.
core::Bytes all_characters() {
    core::Bytes out;
    for (int i = 0; i < 256; ++i) out.push_back(static_cast<std::uint8_t>(i));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scep_query)

BOOST_AUTO_TEST_CASE(operations_are_read_from_the_raw_target) {
    const std::pair<std::string_view, Operation> table[] = {
        {"/scep/e?operation=GetCACaps", Operation::get_ca_caps},
        {"/scep/e/pkiclient.exe?operation=GetCACert&message=default", Operation::get_ca_cert},
        {"/scep/e?message=x&operation=GetNextCACert", Operation::get_next_ca_cert},
        {"/scep/e?operation=PKIOperation&message=AAAA", Operation::pki_operation},
        {"/scep/e?&&x=1&operation=PKI%4Fperation", Operation::pki_operation},
    };
    for (const auto& [target, expected] : table) {
        const auto query = scep::read_query(target);
        BOOST_REQUIRE(query.has_value());
        BOOST_TEST((scep::get_operation(*query).value() == expected), target);
    }
    for (const auto* target : {"/scep/e", "/scep/e?", "/scep/e?operation=", "/scep/e?operation=getcacaps", "/scep/e?operation=GetCACaps%20", "/scep/e?Operation=GetCACaps"})
        BOOST_TEST(contains(refused(scep::get_operation(scep::read_query(target).value())), "malformed scep.query: the operation is missing or unknown"), target);
}

BOOST_AUTO_TEST_CASE(post_is_pki_operation_or_nothing) {
    for (const auto* target : {"/scep/e", "/scep/e?operation=PKIOperation", "/scep/e?x=y"})
        BOOST_TEST((scep::post_operation(scep::read_query(target).value()).value() == Operation::pki_operation));
    BOOST_TEST(refused(scep::post_operation(scep::read_query("/scep/e?operation=GetCACert").value())) ==
               "malformed scep.query: only PKIOperation can be sent by POST");
}

BOOST_AUTO_TEST_CASE(ambiguous_and_broken_queries_are_refused) {
    const std::pair<std::string, std::string_view> table[] = {
        {"/e?operation=GetCACaps&operation=GetCACaps", "the query has two operations"},
        {"/e?operation=&operation=GetCACaps", "the query has two operations"},
        {"/e?message=a&message=b", "the query has two messages"},
        {"/e?message=a&m%65ssage=b", "the query has two messages"},
        {"/e?operation=Get%2", "the operation's percent-encoding is broken"},
        {"/e?operation=Get%zz", "the operation's percent-encoding is broken"},
        {"/e?%=1", "the query's percent-encoding is broken"},
        {"/e?message=" + std::string(64 * 1024, 'A'), "the query is longer than 64 KiB"},
    };
    for (const auto& [target, expected] : table) BOOST_TEST(refused(scep::read_query(target)) == "malformed scep.query: " + std::string(expected));
}

// scep.md §2: macOS leaves + and /, strongSwan breaks lines, proxies make spaces of +. S15.
BOOST_AUTO_TEST_CASE(messages_come_back_whatever_the_client_encodes) {
    const core::Bytes message = all_characters();
    const std::string base64 = core::base64(message);
    BOOST_REQUIRE(base64.find('+') != std::string::npos);
    BOOST_REQUIRE(base64.find('/') != std::string::npos);
    BOOST_REQUIRE(base64.ends_with('='));
    std::string lines, spaces = base64;
    for (std::size_t i = 0; i < base64.size(); i += 64) lines += base64.substr(i, 64) + "\n";
    std::ranges::replace(spaces, '+', ' ');
    std::string crlf = lines;
    for (std::size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) crlf.insert(at, "\r");
    const std::pair<std::string_view, std::string> forms[] = {
        {"raw", base64},
        {"all encoded", percent_encoded(base64, "+/=")},
        {"macOS", percent_encoded(base64, "=")},
        {"lower case", "%" + core::hex(core::as_bytes(base64.substr(0, 1))) + base64.substr(1)},
        {"lines", percent_encoded(lines, "+/=\n")},
        {"lines with raw +", percent_encoded(lines, "\n")},
        {"CR LF", percent_encoded(crlf, "+/=\r\n")},
        {"spaces for +", percent_encoded(spaces, " ")},
        {"around", "%20" + base64 + "%20%0A"},
    };
    for (const auto& [name, raw] : forms) {
        const auto query = scep::read_query("/scep/e?operation=PKIOperation&message=" + raw);
        BOOST_REQUIRE(query.has_value());
        const auto decoded = scep::decode_message(query->message.value(), most);
        BOOST_REQUIRE_MESSAGE(decoded.has_value(), name << ": " << refused(decoded));
        BOOST_TEST((*decoded == message), name);
    }
}

BOOST_AUTO_TEST_CASE(a_message_by_get_needs_leave_and_has_a_bound) {
    const auto query = scep::read_query("/scep/e?operation=PKIOperation&message=AAAAAAAAAAA=").value();
    scep::MessagePolicy policy;
    BOOST_TEST(scep::get_message(query, policy).value().size() == 8U);
    policy.longest_get = 7;
    BOOST_TEST(refused(scep::get_message(query, policy)) == "malformed scep.query: the message is too long");
    BOOST_TEST(refused(scep::get_message(scep::read_query("/scep/e?operation=PKIOperation").value(), policy)) == "malformed scep.query: the message is empty");
    policy.get = false;
    BOOST_TEST(refused(scep::get_message(query, policy)) == "forbidden scep.query: PKIOperation by GET is not offered here; use POST");
}

// A whole message of a Windows client, as a URL that is longer than 8 KiB.
BOOST_AUTO_TEST_CASE(a_windows_message_fits_into_a_get) {
    const core::Bytes message = test::scep_file("windows.der");
    const std::string target = "/scep/e?operation=PKIOperation&message=" + percent_encoded(core::base64(message), "+/=");
    BOOST_TEST(target.size() > 8U * 1024);
    BOOST_TEST((scep::get_message(scep::read_query(target).value(), scep::MessagePolicy()).value() == message));
}

BOOST_AUTO_TEST_CASE(what_certmonger_gets_is_a_message) {
    const core::Bytes target = test::scep_file("certmonger.target");
    const auto query = scep::read_query(core::as_text(target));
    BOOST_REQUIRE(query.has_value());
    BOOST_TEST((scep::get_operation(*query).value() == Operation::pki_operation));
    const auto parsed = test::opened(scep::get_message(*query, scep::MessagePolicy()).value());
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), refused(parsed));
    const auto& csr = std::get<crypto::Csr>(parsed->content);
    BOOST_TEST(csr.subject().to_text() == "CN=device-7,O=Example");
    BOOST_TEST(csr.challenge_password() == "correct horse");
}

BOOST_AUTO_TEST_CASE(what_is_no_base64_is_refused) {
    const std::pair<std::string, std::string_view> table[] = {
        {"", "the message is empty"},      {"%20%0A", "the message is empty"},    {"%4", "the message's percent-encoding is broken"},
        {"AA", "is not base64"},           {"AAA-", "is not base64"},             {"AA_A", "is not base64"},
        {"AAAA====", "is not base64"},     {"A=AA", "is not base64"},             {"AAA%00", "is not base64"},
        {"QUJDRA==QUJD", "is not base64"}, {"AAAAAAAAAAAA", "the message is too long"},
    };
    for (const auto& [raw, expected] : table)
        BOOST_TEST(contains(refused(scep::decode_message(raw, 8)), "malformed scep.query: the message"), raw);
    for (const auto& [raw, expected] : table) BOOST_TEST(contains(refused(scep::decode_message(raw, 8)), expected), raw);
    BOOST_TEST(scep::decode_message("AAAAAAAAAAA=", 8).value().size() == 8U);
    BOOST_TEST(contains(refused(scep::decode_message("AAAAAAAAAAAA", 8)), "too long"));
}

BOOST_AUTO_TEST_CASE(a_ca_identifier_is_text_or_nothing) {
    const auto identifier = [](std::string_view target) { return scep::ca_identifier(scep::read_query(target).value()); };
    BOOST_TEST(identifier("/e?operation=GetCACert&message=default") == "default");
    BOOST_TEST(identifier("/e?operation=GetCACert&message=My%20CA") == "My CA");
    BOOST_TEST(identifier("/e?operation=GetCACert") == "");
    BOOST_TEST(identifier("/e?message=a%0Ab") == "");
    BOOST_TEST(identifier("/e?message=%1b%5b2J") == "");
    BOOST_TEST(identifier("/e?message=%") == "");
    BOOST_TEST(identifier("/e?message=" + std::string(256, 'a')) == "");
}

BOOST_AUTO_TEST_SUITE_END()
