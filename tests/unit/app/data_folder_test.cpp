#include "app/data_folder.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto/system_random.hpp"
#include "tests/unit/app/support.hpp"

BOOST_AUTO_TEST_SUITE(app_data_folder)

using namespace postern;
using namespace postern::test;
using app::DataFolder;

namespace {
unsigned mode_of(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) throw std::runtime_error("no " + path);
    return info.st_mode & 07777U;
}
}  // namespace

BOOST_AUTO_TEST_CASE(a_new_folder_is_its_owners_alone) {
    Folder base;
    const DataFolder data(base.file("a/data"));
    for (const auto* name : {"", "keys", "tls"}) BOOST_TEST(mode_of(data.file(name)) == 0700U);
    BOOST_TEST(mode_of(data.file("lock")) == 0600U);
}

BOOST_AUTO_TEST_CASE(a_second_process_is_told_who_holds_the_folder) {
    Folder base;
    const auto path = base.file("data");
    int ready[2], done[2];
    BOOST_TEST_REQUIRE((::pipe(ready) == 0 && ::pipe(done) == 0));
    const auto child = ::fork();
    BOOST_TEST_REQUIRE(child >= 0);
    if (child == 0) {  // holds the folder until the parent closes the pipe
        ::close(done[1]);
        char c = 'n';
        try {
            const DataFolder held(path);
            c = 'y';
            if (::write(ready[1], &c, 1) == 1) static_cast<void>(::read(done[0], &c, 1) == 1);
        } catch (...) {
            static_cast<void>(::write(ready[1], &c, 1) == 1);
        }
        ::_exit(0);
    }
    ::close(done[0]);
    char c = 0;
    BOOST_TEST(::read(ready[0], &c, 1) == 1);
    BOOST_TEST(c == 'y');
    BOOST_CHECK_EXCEPTION(DataFolder{path}, std::runtime_error,
                          says(path + " is in use by process " + std::to_string(child) + "; stop it or choose another --data"));
    ::close(done[1]);
    int status = 0;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    ::close(ready[0]);
    ::close(ready[1]);
    // It ended without a word (_exit): its lock went with it.
    const DataFolder free(path);
    BOOST_TEST(app::read_file(free.file("lock")) == std::to_string(::getpid()));
}

BOOST_AUTO_TEST_CASE(the_folder_is_free_again_after_its_holder) {
    Folder base;
    { const DataFolder first(base.file("data")); }
    const DataFolder second(base.file("data"));
    BOOST_CHECK_EXCEPTION(DataFolder(base.file("data")), std::runtime_error, says("is in use by process " + std::to_string(::getpid())));
}

BOOST_AUTO_TEST_CASE(the_master_key_is_made_once_and_kept) {
    Folder base;
    crypto::SystemRandom random;
    const DataFolder data(base.file("data"));
    const auto first = data.master_key("", true, random);
    BOOST_TEST(first.expose().size() == 32U);
    BOOST_TEST(mode_of(data.file("keys/master")) == 0600U);
    const auto again = data.master_key("", false, random);
    BOOST_TEST((first.expose() == again.expose()));
}

BOOST_AUTO_TEST_CASE(a_missing_master_key_of_an_old_store_stops_the_start) {
    Folder base;
    crypto::SystemRandom random;
    const DataFolder data(base.file("data"));
    BOOST_CHECK_EXCEPTION(data.master_key("", false, random), std::runtime_error, says("keys/master is missing: restore it from your backup"));
    BOOST_CHECK_EXCEPTION(data.master_key(base.file("elsewhere"), true, random), std::runtime_error, says("elsewhere is missing: restore it"));
    BOOST_TEST(!std::filesystem::exists(data.file("keys/master")));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_is_refused_with_the_command_that_helps) {
    Folder base;
    crypto::SystemRandom random;
    const DataFolder data(base.file("data"));
    static_cast<void>(data.master_key("", true, random));
    const auto path = data.file("keys/master");
    for (const mode_t mode : {mode_t{0640}, mode_t{0604}, mode_t{0660}, mode_t{0601}}) {
        BOOST_TEST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        BOOST_CHECK_EXCEPTION(data.master_key("", true, random), std::runtime_error, says(path + " can be read by others; run: chmod 600 " + path));
    }
    for (const mode_t mode : {mode_t{0600}, mode_t{0400}}) {
        BOOST_TEST_REQUIRE(::chmod(path.c_str(), mode) == 0);
        BOOST_TEST(data.master_key("", false, random).expose().size() == 32U);
    }
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_no_key_file) {
    Folder base;
    crypto::SystemRandom random;
    const DataFolder data(base.file("data"));
    app::write_file(base.file("real"), std::string(32, 'k'), 0600);
    std::filesystem::create_symlink(base.file("real"), data.file("keys/master"));
    BOOST_CHECK_EXCEPTION(data.master_key("", true, random), std::runtime_error, says("is a symbolic link; key files must be plain files"));
    std::filesystem::remove(base.file("real"));
    BOOST_CHECK_EXCEPTION(data.master_key("", true, random), std::runtime_error, says("is a symbolic link"));
}

BOOST_AUTO_TEST_CASE(a_master_key_of_another_size_is_refused) {
    Folder base;
    crypto::SystemRandom random;
    const DataFolder data(base.file("data"));
    for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{33}}) {
        app::write_file(base.file("key"), std::string(size, 'k'), 0600);
        BOOST_CHECK_EXCEPTION(data.master_key(base.file("key"), false, random), std::runtime_error, says("must have exactly 32 octets"));
    }
    app::write_file(base.file("key"), std::string(32, 'k'), 0600);
    BOOST_TEST(core::as_text(data.master_key(base.file("key"), false, random).expose()) == std::string(32, 'k'));
}

BOOST_AUTO_TEST_CASE(files_are_written_whole_with_their_mode) {
    Folder base;
    const auto path = base.file("file");
    app::write_file(path, "one", 0644);
    BOOST_TEST(mode_of(path) == 0644U);
    app::write_file(path, "two", 0600);
    BOOST_TEST(mode_of(path) == 0600U);
    BOOST_TEST(app::read_file(path) == "two");
    BOOST_TEST(!std::filesystem::exists(path + ".new"));
    BOOST_CHECK_EXCEPTION(app::write_file(base.file("no/such/file"), "x", 0600), std::runtime_error, says("cannot create"));
    BOOST_CHECK_EXCEPTION(app::read_file(base.file("absent")), std::runtime_error, says("cannot read " + base.file("absent")));
}

BOOST_AUTO_TEST_SUITE_END()
