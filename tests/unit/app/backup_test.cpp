#include "app/backup.hpp"

#include <boost/test/unit_test.hpp>
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
    std::ofstream(folder.file("taken")) << "precious";
    refused(app::check_target(folder.file("taken"), 1), ProblemKind::conflict, "a backup never overwrites anything");
}

BOOST_AUTO_TEST_CASE(a_manifest_is_read_as_it_was_written) {
    const Folder folder;
    std::ofstream(folder.file("postern.db")) << "content";
    app::BackupManifest manifest;
    manifest.postern = "0.1.0+test";
    manifest.schema = 3;
    manifest.created = core::from_ms(1'800'000'000'123);
    manifest.files.push_back(app::describe_file(folder.file(""), "postern.db"));
    const auto read = app::BackupManifest::parse(manifest.to_json()).value();
    BOOST_TEST((read.postern == "0.1.0+test" && read.schema == 3 && !read.master_key));
    BOOST_TEST((read.created == manifest.created));
    BOOST_TEST_REQUIRE(read.files.size() == 1U);
    BOOST_TEST(read.files[0].bytes == 7);
    BOOST_TEST(read.files[0].sha256 == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73");
    BOOST_TEST(app::verify_files(read, folder.file("")).has_value());
    std::ofstream(folder.file("postern.db")) << "Content";
    refused(app::verify_files(read, folder.file("")), ProblemKind::malformed, "postern.db is damaged");
}

BOOST_AUTO_TEST_CASE(a_manifest_that_is_none_is_refused) {
    const auto with_file = [](std::string_view name, std::string_view master = "false") {
        return R"({"format":1,"postern":"x","schema":3,"createdMs":1,"masterKey":)" + std::string(master) +
               R"(,"files":[{"name":"postern.db","bytes":1,"sha256":"00"},{"name":")" + std::string(name) + R"(","bytes":1,"sha256":"00"}]})";
    };
    const auto says = [](std::string_view text, std::string_view part) {
        const auto parsed = app::BackupManifest::parse(text);
        BOOST_TEST_REQUIRE(!parsed.has_value(), text);
        BOOST_TEST(parsed.error().detail.find(part) != std::string::npos, parsed.error().detail);
    };
    BOOST_TEST(app::BackupManifest::parse(with_file("keys/a1.key")).has_value());
    for (const auto* name : {"../postern.db", "/etc/passwd", "keys/../x", "keys/", "other/x", ".hidden", "keys/.x", "manifest.json", "a b"})
        says(with_file(name), "is no part of a backup");
    says("{}", "this is no backup of Postern");
    says("junk", "manifest.json");
    says(R"({"format":2,"postern":"9.9"})", "made by Postern 9.9");
    says(R"({"format":1,"postern":"x","schema":3})", "it is incomplete");
    says(with_file("root.pem", "true"), "contradicts itself about the master key");
    says(with_file("keys/master"), "contradicts itself about the master key");
}

BOOST_AUTO_TEST_SUITE_END()
