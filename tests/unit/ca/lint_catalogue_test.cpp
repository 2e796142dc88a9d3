#include <algorithm>
#include <fstream>
#include <functional>
#include <set>

#include "core/crypto/key_quality.hpp"
#include "tests/unit/ca/lint_sample.hpp"

/// The catalogue of lints before signing, by number: for each a to-be-signed certificate
/// that offends nothing else.

using namespace postern;
using namespace postern::test;
using enum crypto::DnAttribute;
using core::ProblemKind;
using crypto::GeneralName;
using crypto::GeneralNameType;
using crypto::KeyUsageBit;

namespace {

namespace der = crypto::der;

core::Bytes data(const std::string& name) {
    const auto text = read_file(POSTERN_TEST_DATA "/" + name);
    BOOST_TEST_REQUIRE(!text.empty(), name);
    return core::to_bytes(core::as_bytes(text));
}

/// The SubjectPublicKeyInfo of a request.
core::Bytes requested(const std::string& csr) {
    const auto octets = data("crypto/" + csr);
    der::Reader outer(octets);
    der::Reader request(outer.next().value().content);
    der::Reader info(request.next().value().content);
    info.next();
    info.next();
    return core::to_bytes(info.next().value().whole);
}

/// Of the same length as a P-256 key, and no key.
core::Bytes broken_spki() {
    auto out = leaf_key().spki();
    out[out.size() - 65] = 0x05;
    return out;
}

/// Appends an extension to the finished octets: lengths of the TBSCertificate and its lists follow.
core::Bytes extended(const core::Bytes& tbs, const core::Bytes& extension) {
    der::Reader outer(tbs);
    const auto body = outer.next(der::sequence).value().content;
    der::Reader fields(body);
    core::BytesView before;
    while (fields.peek() != der::context_constructed(3)) {
        const auto field = fields.next().value();
        before = core::BytesView(body.data(), static_cast<std::size_t>(field.whole.data() + field.whole.size() - body.data()));
    }
    der::Reader wrapper(fields.next().value().content);
    const auto list = wrapper.next(der::sequence).value().content;
    der::Writer out;
    out.begin(der::sequence).raw(before).begin(der::context_constructed(3)).begin(der::sequence).raw(list).raw(extension).end().end().end();
    return out.take();
}

core::Bytes extension(const core::Bytes& oid, bool critical, const core::Bytes& value) {
    der::Writer out;
    out.begin(der::sequence).primitive(der::oid, oid);
    if (critical) out.primitive(der::boolean, core::Bytes{0xff});
    out.primitive(der::octet_string, value).end();
    return out.take();
}
const core::Bytes poison = extension({0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3}, true, {5, 0});
const core::Bytes scts = extension({0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2}, false, {4, 0});
const core::Bytes usage_again = extension({0x55, 0x1d, 0x0f}, true, {3, 2, 7, 0x80});

struct Row {
    int number;
    std::string lint;
    ProblemKind kind;  ///< bad_content: the request's doing; internal: ours, and the profile pauses
    std::function<core::Bytes(Sample&)> offend;
};
constexpr auto request = ProblemKind::bad_content, ours = ProblemKind::internal;

/// Spoils what the octets are made of.
auto made(std::function<void(Sample&)> spoil) {
    return [spoil = std::move(spoil)](Sample& s) {
        spoil(s);
        return s.tbs();
    };
}
auto subject(std::vector<crypto::DnEntry> entries) {
    return made([entries](Sample& s) {
        s.client_only();
        s.content.subject = named(entries);
    });
}
auto one_name(GeneralNameType type, std::string value, bool publicly_trusted = false) {
    return made([=](Sample& s) {
        s.client_only();
        s.content.publicly_trusted = publicly_trusted;
        s.content.names = {GeneralName(type, value)};
    });
}
auto key(core::Bytes spki) {
    return made([spki = std::move(spki)](Sample& s) { s.fields.spki = spki; });
}
auto public_term(std::chrono::days days) {
    return made([days](Sample& s) {
        s.content.publicly_trusted = true;
        s.content.not_after = s.content.not_before + days;
    });
}

const std::vector<Row>& rows() {
    static const std::vector<Row> all{
        {1, "serial_positive", ours, made([](Sample& s) { s.fields.serial = core::Bytes(16, 0); })},
        {2, "serial_length", ours, made([](Sample& s) { s.fields.serial = core::Bytes(21, 0x11); })},
        {3, "version", ours, [](Sample& s) { return with(s.tbs(), {0xa0, 3, 2, 1, 2}, {0xa0, 3, 2, 1, 1}); }},
        {4, "duplicate_extension", ours, [](Sample& s) { return extended(s.tbs(), usage_again); }},
        {5, "signature_algorithm", ours, made([](Sample& s) { s.shape.algorithm = crypto::SignatureAlgorithm::ecdsa_sha384; })},
        {6, "weak_hash", ours,
         [](Sample& s) { return with(s.tbs(), {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}, {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1}); }},
        {7, "rsa_size", request, key(data("keys/size-2047.spki"))},
        {7, "rsa_size", request, key(data("keys/size-8200.spki"))},
        {8, "rsa_exponent", request, key(data("keys/exponent-17.spki"))},
        {8, "rsa_exponent", request, key(data("keys/exponent-even.spki"))},
        {8, "rsa_exponent", request, key(data("keys/exponent-huge.spki"))},
        {9, "rsa_fermat", request, key(data("keys/close-primes-2048.spki"))},
        {9, "rsa_fermat", request, key(data("keys/close-primes-4096.spki"))},
        {10, "rsa_small_factor", request, key(data("keys/factor-751.spki"))},
        {11, "rsa_roca", request, key(data("keys/roca-2048.spki"))},
        {12, "blocked_key", request, made([](Sample& s) { s.content.key_blocked = true; })},
        {13, "curve", request, key(requested("p192.csr"))},
        {13, "curve", request, key(requested("explicit-curve.csr"))},
        {14, "spki_encoding", request, key(broken_spki())},
        {14, "spki_encoding", request, key(requested("compressed-point.csr"))},
        {15, "time_form", ours, [](Sample& s) { return with(s.tbs(), {'Z', 0x17}, {'z', 0x17}); }},
        {16, "validity", request, made([](Sample& s) { s.issuer.not_after = s.content.not_after - 1s; })},
        {16, "validity", request, made([](Sample& s) { s.content.not_after = s.content.not_before; })},
        {16, "validity", ours, made([](Sample& s) { s.fields.not_after = s.content.not_after + 1s; })},
        {17, "max_validity", request, made([](Sample& s) { s.content.not_after = s.content.not_before + 24h * 825; })},
        {17, "max_validity", request, public_term(std::chrono::days(200))},
        {18, "backdated", request, made([](Sample& s) { s.content.not_before = s.now - 24h - 1s; })},
        {18, "backdated", request, made([](Sample& s) { s.content.publicly_trusted = true; s.content.not_before = s.now - 1h - 1s; })},
        {19, "issuer", ours, made([](Sample& s) { s.shape.issuer_der = named({{common_name, "Test Ca"}}).to_der(); })},
        {20, "authority_key_id", ours, made([](Sample& s) { s.shape.authority_key_id = core::Bytes(20, 0xbb); })},
        {21, "subject_key_id", ours, made([](Sample& s) { s.fields.subject_key_id = core::Bytes(20, 1); })},
        {22, "basic_constraints", ours, made([](Sample& s) { s.shape.ca = true; })},
        {23, "key_usage", request, made([](Sample& s) { s.content.key_usage = {KeyUsageBit::key_encipherment}; })},
        {23, "key_usage", ours, made([](Sample& s) { s.shape.key_usage = {KeyUsageBit::digital_signature, KeyUsageBit::key_agreement}; })},
        {24, "ca_usage", ours, made([](Sample& s) { s.content.key_usage.push_back(KeyUsageBit::key_cert_sign); })},
        {24, "usage_purpose", ours, made([](Sample& s) { s.content.key_usage = {KeyUsageBit::content_commitment}; })},
        {25, "extended_key_usage", ours, made([](Sample& s) { s.content.extended_key_usage.push_back("2.5.29.37.0"); })},
        {26, "empty_subject", ours, made([](Sample& s) { s.client_only(); s.content.subject = {}; s.content.names.clear(); s.no_names = true; })},
        {27, "subject_length", ours, subject({{organization, std::string(65, 'a')}})},
        {27, "subject_charset", ours, subject({{organization, "a\nb"}})},
        {27, "subject_order", ours, subject({{organization, "Example"}, {country, "DE"}})},
        {27, "subject_duplicate", ours, subject({{organization, "a"}, {organization, "b"}})},
        {27, "subject_html", ours, subject({{organization, "A &amp; B"}})},
        {27, "subject_space", ours, subject({{organization, "Example "}})},
        {27, "subject_length", request, subject({{common_name, std::string(65, 'a')}})},
        {28, "country", ours, subject({{country, "XX"}})},
        {29, "common_name", ours, made([](Sample& s) { s.content.subject = named({{common_name, "other.example.test"}}); })},
        {30, "alt_names", ours, made([](Sample& s) { s.no_names = true; })},
        {30, "alt_names", request, made([](Sample& s) { s.content.names.push_back(s.content.names[0]); })},
        {30, "alt_names", request, one_name(GeneralNameType::dns, std::string("a\0b.test", 8))},
        {31, "dns_name", request, one_name(GeneralNameType::dns, "ab--c.test")},
        {32, "wildcard", request, one_name(GeneralNameType::dns, "a.*.example.test")},
        {32, "wildcard", request, one_name(GeneralNameType::dns, "*.test")},
        {33, "reserved_name", request, one_name(GeneralNameType::ip, "224.0.0.1")},
        {33, "reserved_name", request, one_name(GeneralNameType::ip, "10.1.2.3", true)},
        {33, "reserved_name", request, one_name(GeneralNameType::dns, "printer", true)},
        {33, "reserved_name", request, one_name(GeneralNameType::dns, "host.internal", true)},
        {34, "locations", ours, made([](Sample& s) { s.shape.crl_url = "https://pki.example.test/0.crl"; })},
        {35, "policies", ours, made([](Sample& s) { s.shape.policies = {"2.5.29.32.0"}; })},
        {35, "policies", ours, made([](Sample& s) { s.shape.policies = {"2.23.140.1.2.2", "2.23.140.1.2.2"}; })},
        {36, "subject_fields", ours, made([](Sample& s) { s.fields.subject_der = named({{organization, "Not authorised"}}).to_der(); })},
        {37, "precertificate", ours, [](Sample& s) { return extended(extended(s.tbs(), poison), scts); }},
    };
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ca_lint_catalogue)

BOOST_AUTO_TEST_CASE(every_lint_refuses_the_certificate_that_offends_it) {
    for (const auto& row : rows()) BOOST_TEST_CONTEXT("lint " << row.number << " " << row.lint) {
        Sample sample;
        const auto tbs = row.offend(sample);
        const auto linted = sample.lint(tbs);
        BOOST_TEST(!linted.has_value(), "it was let through");
        if (linted) continue;
        BOOST_TEST(linted.error().check == "lint." + row.lint, linted.error().detail);
        BOOST_TEST(linted.error().detail.starts_with("lint." + row.lint + ": "), linted.error().detail);
        BOOST_TEST(core::to_string(linted.error().kind) == core::to_string(row.kind), linted.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(no_number_is_left_out) {
    std::set<int> numbers;
    for (const auto& row : rows()) numbers.insert(row.number);
    BOOST_TEST(numbers.size() == 37U);
    BOOST_TEST((*numbers.begin() == 1 && *numbers.rbegin() == 37));
}

BOOST_AUTO_TEST_CASE(a_private_ca_certifies_internal_names_and_a_public_one_what_is_public) {
    for (const auto& [type, value] : {std::pair(GeneralNameType::dns, "printer"), {GeneralNameType::dns, "host.internal"}, {GeneralNameType::ip, "10.1.2.3"}}) {
        Sample sample;
        const auto tbs = one_name(type, value)(sample);
        BOOST_TEST(sample.lint(tbs).has_value(), value);
    }
    Sample server;
    server.content.publicly_trusted = true;
    server.content.not_before = server.now;
    server.content.not_after = server.now + 24h * 100 - 1s;
    server.content.names = {GeneralName(GeneralNameType::dns, "www.example.com"), GeneralName(GeneralNameType::ip, "1.1.1.1")};
    server.content.subject = named({{common_name, "www.example.com"}});
    server.shape.policies = {"2.23.140.1.2.1"};
    const auto linted = server.lint();
    BOOST_TEST(linted.has_value(), (linted ? "" : linted.error().detail));
    // 200 days until 2027-03-15, then 100, from 2029-03-15 on 47: the sample's clock stands in January 2027.
    const auto longest = [&](core::TimePoint from, std::chrono::days days) {
        server.issuer.not_after = from + 24h * 3650;
        server.now = from;
        server.content.not_before = from;
        server.content.not_after = from + days - 1s;
        const bool allowed = server.lint().has_value();
        server.content.not_after += 1s;
        return allowed && !server.lint().has_value();
    };
    BOOST_TEST(longest(core::from_ms(1'805'068'799'000), std::chrono::days(200)));
    BOOST_TEST(longest(core::from_ms(1'805'068'800'000), std::chrono::days(100)));
    BOOST_TEST(longest(core::from_ms(1'868'227'200'000), std::chrono::days(47)));
}

BOOST_AUTO_TEST_SUITE_END()
