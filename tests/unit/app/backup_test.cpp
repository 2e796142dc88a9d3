#include "app/backup.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/folder.hpp"

BOOST_AUTO_TEST_SUITE(app_backup)

using namespace postern;
using namespace postern::test;
using core::ProblemKind;

namespace {

void refused(const core::Result<void>& result, ProblemKind kind, std::string_view part) {
    BOOST_TEST_REQUIRE(!result.has_value());
    BOOST_TEST((result.error().kind == kind));
    BOOST_TEST(result.error().detail.find(part) != std::string::npos, result.error().detail);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_target_that_cannot_be_is_refused_before_anything_is_copied) {
    const Folder folder;
    const auto target = folder.file("backup");
    BOOST_TEST(app::check_target(target, 1).has_value());
    refused(app::check_target(target, std::int64_t{1} << 61), ProblemKind::unavailable, "not enough space in ");
    refused(app::check_target("backup", 1), ProblemKind::malformed, "must be an absolute path");
    refused(app::check_target(target + "/below", 1), ProblemKind::malformed, "there is no folder " + target);
    for (const auto* unseen : {"/back\x1b[2Jup", "/back\nup", "/back\x7f", "/back\xff", "/back\xe2\x80\xaeup"})
        refused(app::check_target(folder.file("") + unseen, 1), ProblemKind::malformed, "characters that cannot be seen");
    // Who asked sees another folder of that name: the server's /tmp is its own.
    BOOST_TEST(app::check_target(target, 1, app::place_of(folder.file(""))).has_value());
    refused(app::check_target(target, 1, app::place_of("/")), ProblemKind::malformed, "of its own (PrivateTmp, or a container)");
    std::ofstream(folder.file("taken")) << "precious";
    refused(app::check_target(folder.file("taken"), 1), ProblemKind::conflict, "a backup never overwrites anything");
}

BOOST_AUTO_TEST_CASE(a_manifest_is_read_as_it_was_written) {
    const Folder folder;
    std::filesystem::create_directory(folder.file("keys"));
    std::ofstream(folder.file("keys/a1.key")) << "sealed";
    std::ofstream(folder.file("postern.db")) << "content";
    app::BackupManifest manifest;
    manifest.postern = "0.1.0+test";
    manifest.schema = 3;
    manifest.created = core::from_ms(1'800'000'000'123);
    manifest.files.push_back(app::describe_file(folder.file(""), "postern.db"));
    const auto without_keys = app::BackupManifest::parse(manifest.to_json());
    BOOST_TEST_REQUIRE(!without_keys.has_value());
    BOOST_TEST(without_keys.error().detail.find("it names no CA key") != std::string::npos);
    manifest.files.push_back(app::describe_file(folder.file(""), "keys/a1.key"));
    const auto read = app::BackupManifest::parse(manifest.to_json()).value();
    BOOST_TEST((read.postern == "0.1.0+test" && read.schema == 3 && !read.master_key));
    BOOST_TEST((read.created == manifest.created));
    BOOST_TEST_REQUIRE(read.files.size() == 2U);
    BOOST_TEST(read.files[0].bytes == 7);
    BOOST_TEST(read.files[0].sha256 == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
    BOOST_TEST(app::verify_files(read, folder.file("")).has_value());
    std::ofstream(folder.file("postern.db")) << "Content";
    refused(app::verify_files(read, folder.file("")), ProblemKind::malformed, "postern.db is damaged");
}

BOOST_AUTO_TEST_CASE(a_manifest_that_is_none_is_refused) {
    const std::string digest(64, '0');
    const auto file = [&](std::string_view name, const std::string& bytes = "1", std::string sha256 = {}) {
        return R"({"name":")" + std::string(name) + R"(","bytes":)" + bytes + R"(,"sha256":")" + (sha256.empty() ? digest : sha256) + "\"}";
    };
    const auto with = [&](const std::string& files, std::string_view master = "false", const std::string& schema = "3",
                          const std::string& created = "1800000000123", std::string_view engine = "sqlite") {
        return R"({"format":1,"postern":"x","engine":")" + std::string(engine) + R"(","schema":)" + schema + R"(,"createdMs":)" + created +
               R"(,"masterKey":)" + std::string(master) + R"(,"files":[)" + file("postern.db") + "," + file("keys/a1.key") + (files.empty() ? "" : "," + files) + "]}";
    };
    const auto says = [](std::string_view text, std::string_view part) {
        const auto parsed = app::BackupManifest::parse(text);
        BOOST_TEST_REQUIRE(!parsed.has_value(), text);
        BOOST_TEST(parsed.error().detail.find(part) != std::string::npos, parsed.error().detail);
    };
    const auto whole = app::BackupManifest::parse(with(file("root.pem") + "," + file("postern.toml") + "," + file("tls/server.pem", "0")));
    BOOST_TEST(whole.has_value(), (whole ? "" : whole.error().detail));
    for (const auto* name : {"../postern.db", "/etc/passwd", "keys/../x.key", "keys/", "keys/.key", "other/x", ".hidden", "keys/.x", "keys/x", "manifest.json",
                             "a b", "lock", "control.sock", "postern.db-wal", "keys", "tls/", "tls/a/b", "tls/a b", "node"})
        says(with(file(name)), "is no part of a backup");
    for (const auto* size : {"-1", "1125899906842625", "9223372036854775807"}) says(with(file("root.pem", size)), "is no size of a file");
    for (const auto* sum : {"00", "", "zz"}) says(with(file("root.pem", "1", std::string(sum) + "x")), "is no SHA-256");
    says(with(file("root.pem", "1", std::string(64, 'A'))), "is no SHA-256");
    says(with(file("root.pem", "\"1\"")), "it is incomplete");
    says(with(file("root.pem") + "," + file("root.pem")), "root.pem stands in it twice");
    says(with(file("postern.db")), "postern.db stands in it twice");
    for (const auto* schema : {"0", "-3", "4294967299", "9223372036854775807"}) says(with("", "false", schema), "is no number of a schema");
    for (const auto* time : {"0", "1", "-1800000000123", "9223372036854775807"}) says(with("", "false", "3", time), "is no time that a backup was made at");
    says(with("", "false", "3", "1800000000123", "postgres"), "no backup of an SQLite database");
    says("{}", "this is no backup of Postern");
    says("junk", "manifest.json");
    says(R"({"format":2,"postern":"9.9"})", "made by Postern 9.9");
    says(R"({"format":1,"postern":"x","engine":"sqlite","schema":3})", "it is incomplete");
    says(with(file("root.pem"), "true"), "contradicts itself about the master key");
    says(with(file("keys/master")), "contradicts itself about the master key");
}

BOOST_AUTO_TEST_SUITE_END()
