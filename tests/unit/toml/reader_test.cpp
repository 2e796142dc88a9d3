#include "core/toml/reader.hpp"

#include <unistd.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

namespace toml = postern::toml;
namespace core = postern::core;
using namespace std::chrono_literals;

namespace {

toml::Table parsed(std::string_view text) {
    auto table = toml::parse(text, "postern.toml");
    BOOST_REQUIRE_MESSAGE(table.has_value(), text);
    return *std::move(table);
}

template <class T>
std::string detail(const core::ResultOf<T>& result) {
    BOOST_REQUIRE(result.has_error());
    BOOST_TEST((result.error().kind == core::ProblemKind::malformed));
    return result.error().detail;
}

struct SizeCase {
    std::string_view text;
    std::optional<std::size_t> bytes;
};
std::ostream& operator<<(std::ostream& out, const SizeCase& c) { return out << c.text; }

const std::vector<SizeCase> sizes{
    {"512", 512U}, {"0", 0U}, {R"("512B")", 512U}, {R"("64KiB")", 65536U}, {R"("1MiB")", 1048576U},
    {R"("2GiB")", std::size_t{2} << 30U}, {"-1", {}}, {R"("64KB")", {}}, {R"("64")", {}}, {R"("KiB")", {}},
    {R"("-1KiB")", {}}, {R"("1 KiB")", {}}, {R"("99999999999GiB")", {}}, {R"("99999999999999999999B")", {}},
    {"true", {}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(toml_reader)

BOOST_AUTO_TEST_CASE(values_are_read_by_type) {
    const auto root = parsed("name = 'x'\nport = 8443\non = true\nwait = '30s'\nlist = ['a', 'b']\n[t]\nk = 1\n");
    BOOST_TEST(root.find("name")->string().value() == "x");
    BOOST_TEST(root.find("port")->integer().value() == 8443);
    BOOST_TEST(root.find("on")->boolean().value());
    BOOST_TEST((root.find("wait")->duration().value() == 30s));
    BOOST_TEST((root.find("list")->strings().value() == std::vector<std::string>{"a", "b"}));
    BOOST_TEST(root.find("t")->table().value().find("k")->integer().value() == 1);
    BOOST_TEST(root.finish().has_value());
    BOOST_TEST((root.keys() == std::vector<std::string>{"name", "port", "on", "wait", "list", "t"}));
}

BOOST_AUTO_TEST_CASE(a_wrong_type_names_file_line_and_path) {
    const auto root = parsed("\n[listen.https]\naddress = 8443\nnames = ['a',\n  7]\n");
    const auto https = root.find("listen")->table().value().find("https")->table().value();
    BOOST_TEST(detail(https.find("address")->string()) ==
               "postern.toml:3: listen.https.address: expected a string, found an integer");
    BOOST_TEST(detail(https.find("names")->strings()) ==
               "postern.toml:5: listen.https.names[1]: expected a string, found an integer");
    BOOST_TEST(detail(https.find("names")->integer()) ==
               "postern.toml:4: listen.https.names: expected an integer, found an array");
    BOOST_TEST(detail(https.find("address")->table()) ==
               "postern.toml:3: listen.https.address: expected a table, found an integer");
    BOOST_TEST(detail(https.find("address")->boolean()) ==
               "postern.toml:3: listen.https.address: expected true or false, found an integer");
    BOOST_TEST(detail(https.find("names")->tables()) ==
               "postern.toml:4: listen.https.names[0]: expected a table, found a string");
    BOOST_TEST(https.find("address")->where() == "postern.toml:3: listen.https.address");
    BOOST_TEST(https.find("address")->problem("no").detail == "postern.toml:3: listen.https.address: no");
    BOOST_TEST(https.where() == "postern.toml:2: listen.https");
    BOOST_TEST(root.where() == "postern.toml");
    BOOST_TEST(root.problem("empty").detail == "postern.toml: empty");
}

BOOST_AUTO_TEST_CASE(a_missing_key_is_named) {
    const auto root = parsed("\n\n[store]\n");
    const auto store = root.find("store")->table().value();
    BOOST_TEST(!store.find("path").has_value());
    BOOST_TEST(detail(store.require("path")) == "postern.toml:3: store.path: missing; this key is required");
    BOOST_TEST(detail(root.require("public")) == "postern.toml: public: missing; this key is required");
}

BOOST_AUTO_TEST_CASE(unknown_keys_are_refused_with_the_known_ones) {
    const auto root = parsed("a = 1\n\n[listen.https]\n[listen.htps]\n[listen.http]\n");
    (void)root.find("a");
    const auto listen = root.find("listen")->table().value();
    for (const auto* name : {"https", "est", "http", "management"}) (void)listen.find(name);
    BOOST_TEST(detail(root.finish()) ==
               "postern.toml:4: listen.htps: unknown key; known here: https, est, http, management");
}

BOOST_AUTO_TEST_CASE(unknown_keys_in_an_array_of_tables_are_refused) {
    const auto root = parsed("[[account]]\nname = 'a'\n[[account]]\nname = 'b'\nnmae = 'c'\n");
    const auto accounts = root.find("account")->tables().value();
    BOOST_REQUIRE_EQUAL(accounts.size(), 2U);
    for (const auto& account : accounts) (void)account.find("name");
    BOOST_TEST(accounts[1].find("name")->string().value() == "b");
    BOOST_TEST(accounts[1].where() == "postern.toml:3: account[1]");
    BOOST_TEST(detail(root.finish()) == "postern.toml:5: account[1].nmae: unknown key; known here: name");
}

BOOST_AUTO_TEST_CASE(a_table_opened_twice_shares_its_record) {
    const auto root = parsed("[t]\na = 1\nb = 2\n");
    (void)root.find("t")->table().value().find("a");
    BOOST_TEST(root.finish().has_error());
    (void)root.find("t")->table().value().find("b");
    BOOST_TEST(root.finish().has_value());
}

BOOST_AUTO_TEST_CASE(a_table_where_nothing_was_asked_says_so) {
    const auto root = parsed("[t]\na = 1\n");
    (void)root.find("t")->table();
    BOOST_TEST(detail(root.finish()) == "postern.toml:2: t.a: unknown key; no key is known here");
}

BOOST_AUTO_TEST_CASE(durations_explain_their_form) {
    const auto root = parsed("a = 30\nb = '30 seconds'\n");
    BOOST_TEST(detail(root.find("a")->duration()) ==
               R"(postern.toml:1: a: expected a duration such as "30s", "10m", "12h" or "90d", found an integer)");
    BOOST_TEST(detail(root.find("b")->duration()) ==
               R"(postern.toml:2: b: "30 seconds" is not a duration such as "30s", "10m", "12h" or "90d")");
}

BOOST_DATA_TEST_CASE(sizes_are_bytes_or_binary_units, boost::unit_test::data::make(sizes), example) {
    const auto size = parsed("s = " + std::string(example.text)).find("s")->size();
    if (example.bytes) {
        BOOST_TEST(size.value() == *example.bytes);
    } else {
        BOOST_TEST(detail(size).starts_with("postern.toml:1: s: "));
    }
}

BOOST_AUTO_TEST_CASE(bad_toml_names_the_line) {
    BOOST_TEST(detail(toml::parse("a = 1\nb = \n", "f.toml")).starts_with("f.toml:2: not TOML: "));
    BOOST_TEST(detail(toml::parse("a = 1\na = 2\n", "f.toml")).starts_with("f.toml:2: not TOML: "));
    BOOST_TEST(detail(toml::parse("a = '\xFF'", "f.toml")).starts_with("f.toml:1: not TOML: "));
    BOOST_TEST(detail(toml::parse("a = " + std::string(100000, '['), "f.toml")).starts_with("f.toml:1: not TOML: "));
    BOOST_TEST(detail(toml::parse("x = 1\n[a]\nb = [1, nan]", "f.toml")) ==
               "f.toml:3: a.b[1]: inf and nan are not accepted; write a number");
}

BOOST_AUTO_TEST_CASE(a_dotted_key_of_many_levels_is_refused) {
    const auto dotted = [](int levels) {
        std::string text;
        for (int i = 1; i < levels; ++i) text += "a.";
        return text + "a = 1\n";
    };
    BOOST_TEST(parsed(dotted(32)).keys().size() == 1U);
    // The last would be deeper than a thread's stack.
    for (const int levels : {33, 300, 400'000})
        BOOST_TEST(detail(toml::parse(dotted(levels), "f.toml")) == "f.toml: a key has more than 32 parts joined by dots");
    std::string quoted = "\"=\"";
    for (int i = 0; i < 100'000; ++i) quoted += i % 2 == 0 ? " . '\\'" : ".\"\\\"\"";
    BOOST_TEST(detail(toml::parse("x = {" + quoted + " = 1}", "f.toml")) == "f.toml: a key has more than 32 parts joined by dots");
    // Dots in values are no parts of a key.
    BOOST_TEST(parsed("a = \"" + dotted(100).substr(0, 198) + "\"").keys().size() == 1U);
    std::string nested = "a = 1";
    for (int i = 0; i < 10; ++i) nested = "b.b.b.b.b.b.b.b.b.b.b.b.b.b.b = {" + nested + "}";
    BOOST_TEST(detail(toml::parse(nested, "f.toml")).ends_with(": nested deeper than 128 levels"));
}

BOOST_AUTO_TEST_CASE(odd_keys_are_quoted_in_paths) {
    const auto root = parsed("['a b'.c]\n\"x\\ny\" = 1\n");
    const auto inner = root.find("a b")->table().value().find("c")->table().value();
    BOOST_TEST(detail(inner.find("x\ny")->string()) ==
               R"(postern.toml:2: "a b".c."x\ny": expected a string, found an integer)");
}

BOOST_AUTO_TEST_CASE(values_outlive_their_table) {
    const auto value = [] { return *parsed("[t]\na = 'x'\n").find("t")->table().value().find("a"); }();
    BOOST_TEST(value.string().value() == "x");
}

BOOST_AUTO_TEST_CASE(files_are_read_or_the_reason_is_told) {
    std::string name = (std::filesystem::temp_directory_path() / "postern-toml-XXXXXX").string();
    const std::string folder = ::mkdtemp(name.data());
    BOOST_TEST(detail(toml::parse_file(folder + "/none.toml")) ==
               "cannot read " + folder + "/none.toml: No such file or directory");
    BOOST_TEST(detail(toml::parse_file(folder)) == "cannot read " + folder + ": Is a directory");
    std::ofstream(folder + "/a.toml") << "a = 5\n";
    BOOST_TEST(toml::parse_file(folder + "/a.toml").value().find("a")->where() == folder + "/a.toml:1: a");
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()
