#include "app/certificate_lists.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"

BOOST_AUTO_TEST_SUITE(app_certificate_lists)

using namespace postern;

namespace {

/// As tests/data/fuzz/make.py wrote it: certificates of the same CA in each form.
std::string seed(const std::string& name) {
    std::ifstream in(POSTERN_TEST_DATA "/fuzz/certificate_list/seed-" + name, std::ios::binary);
    BOOST_TEST_REQUIRE(in.good(), name);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

app::CertificateList read(const std::string& contents, std::string_view column = {}) {
    auto list = app::read_certificate_list(contents, column);
    BOOST_TEST_REQUIRE(list.has_value(), (list ? "" : list.error().detail));
    return std::move(*list);
}

std::string refusal(const std::string& contents, std::string_view column = {}) {
    const auto list = app::read_certificate_list(contents, column);
    return list ? "read" : list.error().detail;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(every_form_gives_the_same_certificates) {
    const auto one = seed("der");
    const core::Bytes first(one.begin(), one.end());
    const std::pair<const char*, std::size_t> forms[] = {{"der", 1},     {"der-three", 3}, {"p7b-der", 3},  {"p7b-pem", 3}, {"pem", 3}, {"pem-text", 3}, {"csv", 3}, {"csv-semicolon", 3},
                                                         {"csv-pem", 1}, {"csv-dump", 1},  {"hex", 1},      {"lines", 3},   {"utf-16", 1}};
    for (const auto& [name, count] : forms) BOOST_TEST_CONTEXT(name) {
        const auto list = read(seed(name));
        BOOST_TEST(list.unreadable.empty());
        BOOST_TEST_REQUIRE(list.certificates.size() == count);
        BOOST_TEST((list.certificates.front().der == first));
        for (const auto& each : list.certificates) BOOST_TEST(crypto::Certificate::parse(each.der).has_value());
    }
}

BOOST_AUTO_TEST_CASE(places_are_told) {
    BOOST_TEST(read(seed("csv")).certificates[1].where == "line 3");
    BOOST_TEST(read(seed("der-three")).certificates[2].where == "certificate 3");
    BOOST_TEST(read(seed("p7b-pem")).certificates[1].where == "line 1, certificate 2");
    BOOST_TEST(read(seed("pem-text")).certificates[0].where == "line 2");
    BOOST_TEST(read(seed("lines")).certificates[2].where == "line 3");
}

BOOST_AUTO_TEST_CASE(bad_lines_are_listed_and_the_rest_is_kept) {
    const auto check = [](const std::string& contents, std::size_t kept, const std::string& where, const std::string& why) {
        const auto list = read(contents);
        BOOST_TEST(list.certificates.size() == kept);
        BOOST_TEST_REQUIRE(list.unreadable.size() == 1U);
        BOOST_TEST(list.unreadable[0].where == where);
        BOOST_TEST(contains(list.unreadable[0].why, why), list.unreadable[0].why);
    };
    check(seed("pem-broken"), 2, "line 1", "broken base64");
    check(seed("lines-bad"), 2, "line 2", "neither base64");
    check(seed("csv-empty"), 0, "line 2", "nothing in the column certificate");
    check(seed("der-cut"), 2, "certificate 3", "it is not DER");
    const auto whole = seed("csv");
    check(whole + "9,hello!\n", 3, "line 5", "neither PEM, base64");
    check(whole + "9\n", 3, "line 5", "nothing in the column base64Cert");
    // Lines after a quote that does not end count all the same.
    const auto quote = read("id,certificate\n1,\"abc\n" + whole.substr(whole.find('\n') + 1));
    BOOST_TEST(quote.certificates.size() == 3U);
    BOOST_TEST_REQUIRE(quote.unreadable.size() == 1U);
    BOOST_TEST(quote.unreadable[0].where == "line 2");
    BOOST_TEST(quote.unreadable[0].why == "a quote that does not end");
    const auto pem = seed("pem");
    check(pem.substr(0, pem.size() - 40), 2, "line " + std::to_string(1 + std::count(pem.begin(), pem.begin() + static_cast<std::ptrdiff_t>(pem.rfind("-----BEGIN")), '\n')), "no END line");
}

BOOST_AUTO_TEST_CASE(keys_and_requests_of_the_same_export_are_passed_over) {
    const auto list = read("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + seed("pem"));
    BOOST_TEST((list.certificates.size() == 3U && list.unreadable.empty()));
}

BOOST_AUTO_TEST_CASE(a_column_can_be_named) {
    auto contents = seed("csv");
    contents.replace(contents.find("base64Cert"), 10, "Blob Data!");
    BOOST_TEST(contains(refusal(contents), "name it by --column"));
    BOOST_TEST(read(contents, "blob data").certificates.size() == 3U);
    BOOST_TEST(contains(refusal(contents, "other"), "the first line has no column other"));
}

BOOST_AUTO_TEST_CASE(what_is_no_list_is_refused) {
    BOOST_TEST(refusal("") == "the file is empty");
    BOOST_TEST(refusal(" \r\n\n") == "the file is empty");
    BOOST_TEST(contains(refusal("no certificates here"), "neither certificates"));
    BOOST_TEST(contains(refusal(seed("csv-no-column")), "neither certificates"));
}

BOOST_AUTO_TEST_CASE(cells_are_octets_in_any_writing) {
    using app::certificate_octets;
    const core::Bytes octets{0x30, 0x03, 0x02, 0x01, 0x05};
    BOOST_TEST((certificate_octets("3003020105") == octets));
    BOOST_TEST((certificate_octets("30 03 02 01 05") == octets));
    BOOST_TEST((certificate_octets("  MAMCAQU=\r\n") == octets));
    BOOST_TEST((certificate_octets("0000  30 03 02 01 05                  0....") == octets));
    BOOST_TEST((certificate_octets("    0000  30 03 02   0..\r\n    0003  01 05   ..\r\n") == octets));
    BOOST_TEST((certificate_octets("-----BEGIN CERTIFICATE-----\nMAMC\nAQU=\n-----END CERTIFICATE-----\n") == octets));
    for (const auto* bad : {"", "hello!", "300", "0000  zz", "-----BEGIN CERTIFICATE-----\nMAMC", "0000"}) BOOST_TEST(!certificate_octets(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()
