#include "core/crypto/name.hpp"

#include <boost/test/unit_test.hpp>

#include "core/crypto/der.hpp"
#include "tests/unit/crypto/support.hpp"

using namespace postern;
namespace der = crypto::der;
using core::ProblemKind;
using crypto::DistinguishedName;
using crypto::DnAttribute;
using crypto::GeneralName;
using crypto::GeneralNameType;
using test::contains;
using test::hex;
using test::refusal;

namespace {

/// A name of one CN in that string type.
core::Bytes common_name(std::uint8_t tag, core::BytesView content) {
    der::Writer out;
    out.begin(der::sequence).begin(der::set).begin(der::sequence).oid("2.5.4.3").primitive(tag, content).end().end().end();
    return out.take();
}

crypto::DnEntry other_entry(std::string oid, std::string value) {
    crypto::DnEntry entry(DnAttribute::other, std::move(value));
    entry.oid = std::move(oid);
    return entry;
}

core::Bytes general_names(std::string_view content_hex) {
    der::Writer out;
    out.primitive(der::sequence, hex(content_hex));
    return out.take();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crypto_name)

BOOST_AUTO_TEST_CASE(all_string_types_become_utf8) {
    const std::tuple<std::uint8_t, core::Bytes, std::string_view> table[] = {
        {der::utf8_string, test::octets("M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80"), "M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80"},
        {der::printable_string, test::octets("Router 1"), "Router 1"},
        {der::ia5_string, test::octets("a@example.com"), "a@example.com"},
        {der::t61_string, test::octets("M\xfcller"), "M\xc3\xbcller"},
        {der::bmp_string, hex("004d00fc20ac"), "M\xc3\xbc\xe2\x82\xac"},
    };
    for (const auto& [tag, content, expected] : table) {
        const auto name = DistinguishedName::parse(common_name(tag, content));
        BOOST_REQUIRE(name.has_value());
        BOOST_TEST(name->entries.at(0).value == expected);
        BOOST_TEST(!name->multi_valued);
    }
}

BOOST_AUTO_TEST_CASE(unreadable_strings_are_refused) {
    const std::pair<std::uint8_t, core::Bytes> table[] = {
        {der::utf8_string, hex("c0af")},      {der::utf8_string, hex("eda080")},   {der::utf8_string, hex("f4908080")},
        {der::utf8_string, hex("e282")},      {der::utf8_string, hex("80")},       {der::utf8_string, hex("e0809f")},
        {der::utf8_string, hex("f0808080")},  {der::utf8_string, hex("c3")},       {der::utf8_string, hex("e28228")},
        {der::utf8_string, hex("61006220")},  {der::printable_string, hex("6100")}, {der::t61_string, hex("0061")},
        {der::printable_string, hex("c3bc")}, {der::ia5_string, hex("ff")},        {der::bmp_string, hex("004d00")},
        {der::bmp_string, hex("0000")},       {der::bmp_string, hex("d83d")},      {der::integer, hex("01")},
        {0x1c, hex("00000041")}};
    for (const auto& [tag, content] : table)
        BOOST_TEST(contains(refusal(DistinguishedName::parse(common_name(tag, content)), ProblemKind::malformed), "the value of CN in the name cannot be read"),
                   core::hex(content));
    BOOST_TEST(contains(refusal(DistinguishedName::parse(common_name(der::utf8_string, {})), ProblemKind::malformed), "is empty; leave the attribute out"));
}

BOOST_AUTO_TEST_CASE(broken_structure_is_refused) {
    for (const std::string_view text : {"", "3000ff", "30023100", "30023000", "3004310230" "00", "300931073005060355040a", "3080"})
        BOOST_TEST(refusal(DistinguishedName::parse(hex(text)), ProblemKind::malformed) != "it was accepted", text);
    BOOST_TEST(DistinguishedName::parse(hex("3000")).value().entries.empty());
}

BOOST_AUTO_TEST_CASE(at_most_64_attributes) {
    DistinguishedName name;
    for (int i = 0; i < 64; ++i) name.entries.emplace_back(DnAttribute::organizational_unit, std::to_string(i));
    BOOST_TEST(DistinguishedName::parse(name.to_der()).has_value());
    name.entries.emplace_back(DnAttribute::organizational_unit, "64");
    BOOST_TEST(contains(refusal(DistinguishedName::parse(name.to_der()), ProblemKind::malformed), "more than 64"));
}

BOOST_AUTO_TEST_CASE(multi_valued_rdns_are_marked) {
    der::Writer out;
    out.begin(der::sequence).begin(der::set);
    out.begin(der::sequence).oid("2.5.4.3").text(der::utf8_string, "a").end();
    out.begin(der::sequence).oid("2.5.4.5").text(der::printable_string, "1").end();
    out.end().end();
    const auto name = DistinguishedName::parse(out.bytes());
    BOOST_REQUIRE(name.has_value());
    BOOST_TEST(name->multi_valued);
    BOOST_TEST(name->entries.size() == 2U);
}

BOOST_AUTO_TEST_CASE(old_strings_are_marked) {
    for (const auto tag : {der::t61_string, der::bmp_string, der::utf8_string, der::printable_string}) {
        const auto text = tag == der::bmp_string ? test::hex("0061") : test::octets("a");
        der::Writer out;
        out.begin(der::sequence).begin(der::set).begin(der::sequence).oid("2.5.4.3").primitive(tag, text).end().end().end();
        const auto name = DistinguishedName::parse(out.bytes());
        BOOST_REQUIRE(name.has_value());
        BOOST_TEST(name->legacy_text == (tag == der::t61_string || tag == der::bmp_string));
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back_with_the_right_types) {
    DistinguishedName name;
    name.entries = {{DnAttribute::country, "DE"},       {DnAttribute::state, "Bayern"},       {DnAttribute::locality, "M\xc3\xbcnchen"},
                    {DnAttribute::organization, "Ex"},  {DnAttribute::organizational_unit, "IT"}, {DnAttribute::serial_number, "SN-1"},
                    {DnAttribute::email, "a@ex.com"},   {DnAttribute::common_name, "a, b"}};
    name.entries.push_back(other_entry("0.9.2342.19200300.100.1.25", "example"));
    name.entries.push_back(other_entry("2.5.4.12", "Dr."));
    const core::Bytes bytes = name.to_der();
    const auto read = DistinguishedName::parse(bytes);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((read->to_der() == bytes));
    BOOST_TEST(read->to_text() == name.to_text());
    BOOST_TEST(read->entries.at(8).oid == "0.9.2342.19200300.100.1.25");
    const std::string text = core::hex(bytes);
    BOOST_TEST(contains(text, "0603550406" "1302"));                       // C: PrintableString
    BOOST_TEST(contains(text, "0603550405" "1304"));                       // serialNumber: PrintableString
    BOOST_TEST(contains(text, "2a864886f70d010901" "1608"));               // E: IA5String
    BOOST_TEST(contains(text, "0992268993f22c640119" "1607"));             // DC: IA5String
    BOOST_TEST(contains(text, "060355040a" "0c02"));                       // O: UTF8String
    BOOST_TEST((read->values(DnAttribute::organization) == std::vector<std::string>{"Ex"}));
    BOOST_TEST(read->values(DnAttribute::other).size() == 2U);
}

BOOST_AUTO_TEST_CASE(text_is_rfc4514) {
    DistinguishedName name;
    name.entries = {{DnAttribute::organization, "b"}, {DnAttribute::common_name, "a"}};
    BOOST_TEST(name.to_text() == "CN=a,O=b");
    const std::pair<std::string, std::string_view> escapes[] = {{"a,b", "CN=a\\,b"},     {" a ", "CN=\\ a\\ "}, {"#a", "CN=\\#a"}, {"a#", "CN=a#"},
                                                                {"a\"+;<>\\", "CN=a\\\"\\+\\;\\<\\>\\\\"}, {"a\nb", "CN=a\\0ab"}};
    for (const auto& [value, expected] : escapes) {
        name.entries = {{DnAttribute::common_name, value}};
        BOOST_TEST(name.to_text() == expected);
    }
    name.entries = {other_entry("2.5.4.12", "Dr.")};
    BOOST_TEST(name.to_text() == "2.5.4.12=Dr.");
    BOOST_TEST(crypto::short_name(DnAttribute::email) == "E");
    BOOST_TEST(crypto::short_name(DnAttribute::serial_number) == "serialNumber");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crypto_general_name)

BOOST_AUTO_TEST_CASE(names_come_back) {
    std::vector<GeneralName> names{{GeneralNameType::dns, "*.example.com"}, {GeneralNameType::email, "a@example.com"},
                                   {GeneralNameType::uri, "https://example.com/"}, {GeneralNameType::ip, "192.0.2.1"},
                                   {GeneralNameType::ip, "2001:db8::1"}};
    names.emplace_back(GeneralNameType::upn, "j\xc3\xb6rg@corp.example");
    names.emplace_back(GeneralNameType::uri, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104");
    GeneralName service;  // a Kerberos name
    service.der = hex("a00c" "06062b0601050202" "a0020c00");
    names.push_back(service);
    const auto read = crypto::parse_general_names(crypto::general_names_der(names));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == names));
}

BOOST_AUTO_TEST_CASE(a_principal_name_is_an_other_name) {
    const std::vector<GeneralName> names{{GeneralNameType::upn, "a@b.c"}};
    const auto bytes = crypto::general_names_der(names);
    BOOST_TEST(core::hex(bytes) == "3017" "a015" "060a2b060104018237140203" "a007" "0c0561" "40622e63");
    BOOST_TEST((crypto::parse_general_names(bytes).value() == names));
}

BOOST_AUTO_TEST_CASE(each_kind_has_a_text_of_its_own) {
    GeneralName directory;
    directory.der = hex("a4023000");
    const std::pair<GeneralName, std::string_view> table[] = {
        {{GeneralNameType::dns, "*.example.com"}, "*.example.com"},
        {{GeneralNameType::ip, "2001:db8::1"}, "2001:db8::1"},
        {{GeneralNameType::email, "a@example.com"}, "email:a@example.com"},
        {{GeneralNameType::uri, "urn:x"}, "uri:urn:x"},
        {{GeneralNameType::upn, "a@corp.example"}, "upn:a@corp.example"},
        {{GeneralNameType::dns, "upn:a@corp.example"}, "dns:upn:a@corp.example"},
        {directory, "other:a4023000"},
    };
    for (const auto& [name, text] : table) BOOST_TEST(crypto::to_text(name) == text);
}

BOOST_AUTO_TEST_CASE(broken_names_are_refused) {
    // An otherName with that object identifier, and what the hex digits put behind it.
    struct Principal {
        std::string operator+(std::string_view rest) const {
            der::Writer out;
            auto content = hex("060a2b060104018237140203");
            const auto more = hex(rest);
            content.insert(content.end(), more.begin(), more.end());
            out.primitive(der::context_constructed(0), content);
            return core::hex(out.bytes());
        }
    };
    const Principal principal;
    const std::pair<core::Bytes, std::string_view> table[] = {
        {hex(""), "not the DER of one sequence"},
        {hex("3000"), "subjectAltName is empty; leave the extension out"},
        {hex("30028200ff"), "not the DER of one sequence"},
        {general_names("8200"), "empty dNSName"},
        {general_names("8100"), "empty rfc822Name"},
        {general_names("8203610062"), "printable ASCII; international names are written as A-labels"},
        {general_names("8202c3bc"), "printable ASCII"},
        {general_names("82026109"), "printable ASCII"},
        {general_names("8703010203"), "has 3 octets; it has 4 or 16"},
        {general_names("87080a000000ff000000"), "has 8 octets"},
        {general_names("0c0161"), "no general name"},
        {general_names("8900"), "no general name"},
        {general_names("a2030c0161"), "no general name"},
        {general_names("8202"), "not DER"},
        {general_names(principal + "a0020c00"), "an empty principal name"},
        {general_names(principal + "a0031e0141"), "is not one UTF8String"},
        {general_names(principal + "a0031e0041"), "is not one UTF8String"},
        {general_names(principal + "a003160141"), "is not one UTF8String"},
        {general_names(principal + "a0030c0141" "0500"), "is not one UTF8String"},
        {general_names(principal + "a0060c01410c0142"), "is not one UTF8String"},
        {general_names(principal + "a1030c0141"), "is not one UTF8String"},
        {general_names(principal + ""), "is not one UTF8String"},
        {general_names(principal + "a0050c03410042"), "ill-formed UTF-8, or holds control characters"},
        {general_names(principal + "a0050c03410a42"), "ill-formed UTF-8, or holds control characters"},
        {general_names(principal + "a0040c02c080"), "ill-formed UTF-8, or holds control characters"},
        {general_names(principal + "a0050c03eda080"), "ill-formed UTF-8, or holds control characters"},
    };
    for (const auto& [bytes, expected] : table)
        BOOST_TEST(contains(refusal(crypto::parse_general_names(bytes), ProblemKind::malformed), expected), core::hex(bytes));
}

BOOST_AUTO_TEST_CASE(addresses_have_one_text) {
    const std::pair<std::string_view, std::string_view> table[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"0:0:0:0:0:0:1:2", "::1:2"},
        {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        {"::ffff:102:304", "::ffff:1.2.3.4"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
    };
    for (const auto& [text, canonical] : table) {
        BOOST_TEST(crypto::canonical_ip(text) == canonical);
        BOOST_TEST(crypto::canonical_ip(canonical) == canonical);
    }
    BOOST_TEST(crypto::ip_octets("::ffff:1.2.3.4").size() == 16U);
}

BOOST_AUTO_TEST_CASE(what_is_no_address_has_no_octets) {
    for (const std::string_view text : {"", "1.2.3", "1.2.3.256", "01.2.3.4", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/24", "::1%lo", "[::1]", ":::", "1::2::3",
                                        "example.com", "1:2:3:4:5:6:7:8:9", "12345::"}) {
        BOOST_TEST(crypto::ip_octets(text).empty(), text);
        BOOST_TEST(crypto::canonical_ip(text) == "", text);
    }
    BOOST_TEST(crypto::ip_octets(std::string_view("1.2.3.4\0x", 9)).empty());
    BOOST_TEST(crypto::ip_text(core::Bytes(5)) == "");
}

BOOST_AUTO_TEST_SUITE_END()
