#include "core/observe/log.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "core/json/reader.hpp"

namespace observe = postern::observe;
namespace json = postern::json;
namespace fs = std::filesystem;

namespace {

/// A fresh folder, removed at the end.
struct Folder {
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "postern-log-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path); }
    [[nodiscard]] std::string file(std::string_view name = "log") const { return (path / name).string(); }
    fs::path path;
};

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string only_line(const std::string& path) {
    const auto lines = lines_of(path);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    return lines.front();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(observe_log)

BOOST_AUTO_TEST_CASE(a_line_is_one_json_object_in_order) {
    const Folder folder;
    observe::Log log(observe::Level::info, folder.file(), true);
    const postern::core::RequestId id("abcdefghijklmnop");
    log.info("enrollment_issued", {observe::request(id), {"count", 3}, {"ok", true}, {"seconds", 0.25}, {"name", "x"}});
    const auto line = only_line(folder.file());
    BOOST_TEST(line.substr(0, 7) == R"({"ts":")");
    BOOST_TEST(line.substr(31) ==
               R"(","level":"info","event":"enrollment_issued","request":"abcdefghijklmnop","count":3,"ok":true,"seconds":0.25,"name":"x"})");
    const auto document = json::Document::parse(line);
    BOOST_REQUIRE(document.has_value());
    const auto ts = document.value().root()["ts"].string().value();
    BOOST_TEST(ts.size() == 24U);
    BOOST_TEST(ts[10] == 'T');
    BOOST_TEST(ts.back() == 'Z');
}

BOOST_AUTO_TEST_CASE(hostile_octets_stay_inside_one_line) {
    const std::string hostile("a\r\nb\x1b[31m\0\x7f\xC2\x9B\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE\xFF\"\\", 26);
    for (const bool as_json : {true, false}) {
        const Folder folder;
        observe::Log log(observe::Level::info, folder.file(), as_json);
        log.warning("stranger", {{"agent", hostile}, {hostile, "v"}});
        const auto line = only_line(folder.file());
        for (const char c : line) {
            const auto octet = static_cast<unsigned char>(c);
            BOOST_TEST((octet >= 0x20 && octet != 0x7F));
        }
        for (const std::string_view raw : {"\xC2\x9B", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAE", "\xFF"}) {
            BOOST_TEST(line.find(raw) == std::string::npos);
        }
        BOOST_TEST(line.find(R"(a\r\nb\u001b[31m\u0000\u007f\u009b\u2028\u2029\u202e)") != std::string::npos);
        if (as_json) BOOST_TEST(json::Document::parse(line).has_value());
    }
}

BOOST_AUTO_TEST_CASE(text_quotes_only_what_needs_it) {
    const Folder folder;
    observe::Log log(observe::Level::debug, folder.file(), false);
    log.error("store_lost", {{"path", "/var/lib/x"}, {"why", "no space left"}, {"empty", ""}, {"n", -1}, {"eq", "a=b"}});
    BOOST_TEST(only_line(folder.file()).substr(24) ==
               R"( error   store_lost path=/var/lib/x why="no space left" empty="" n=-1 eq="a=b")");
}

BOOST_AUTO_TEST_CASE(numbers_that_json_lacks_become_null) {
    const Folder folder;
    observe::Log log(observe::Level::info, folder.file(), true);
    log.info("odd", {{"inf", std::numeric_limits<double>::infinity()}});
    BOOST_TEST(only_line(folder.file()).ends_with(R"("event":"odd","inf":null})"));
}

BOOST_AUTO_TEST_CASE(lower_levels_are_left_out_until_the_level_changes) {
    const Folder folder;
    observe::Log log(observe::Level::warning, folder.file(), true);
    log.info("left_out");
    BOOST_TEST(!log.enabled(observe::Level::info));
    BOOST_TEST(log.enabled(observe::Level::error));
    log.set_level(observe::Level::debug);
    log.debug("written");
    BOOST_TEST(only_line(folder.file()).find("\"written\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(level_names_are_known) {
    BOOST_TEST((observe::level_from("debug") == observe::Level::debug));
    BOOST_TEST((observe::level_from("info") == observe::Level::info));
    BOOST_TEST((observe::level_from("warning") == observe::Level::warning));
    BOOST_TEST((observe::level_from("error") == observe::Level::error));
    BOOST_TEST(!observe::level_from("INFO").has_value());
    BOOST_TEST(!observe::level_from("").has_value());
}

BOOST_AUTO_TEST_CASE(reopen_follows_a_rotation) {
    const Folder folder;
    observe::Log log(observe::Level::info, folder.file(), true);
    log.info("before");
    fs::rename(folder.file(), folder.file("log.1"));
    log.info("between");
    log.reopen();
    log.info("after");
    BOOST_TEST(lines_of(folder.file("log.1")).size() == 2U);
    BOOST_TEST(only_line(folder.file()).find("after") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_impossible_path_is_told_and_keeps_the_old_file) {
    const Folder folder;
    BOOST_CHECK_EXCEPTION(observe::Log(observe::Level::info, folder.file("no/such"), true), std::system_error,
                          [&](const std::system_error& e) {
                              return std::string(e.what()).starts_with("cannot open the log file " + folder.file("no/such"));
                          });
    fs::create_directory(folder.path / "sub");
    observe::Log log(observe::Level::info, folder.file("sub/log"), true);
    fs::rename(folder.path / "sub", folder.path / "moved");
    BOOST_CHECK_THROW(log.reopen(), std::system_error);
    log.info("still_here");
    BOOST_TEST(only_line(folder.file("moved/log")).find("still_here") != std::string::npos);
    BOOST_TEST(log.lost() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_counted_and_stops_nothing) {
    observe::Log log(observe::Level::info, "/dev/full", true);
    log.info("one");
    log.info("two");
    BOOST_TEST(log.lost() == 2U);
}

BOOST_AUTO_TEST_CASE(threads_do_not_mix_their_lines) {
    const Folder folder;
    observe::Log log(observe::Level::info, folder.file(), true);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&log, t] {
            for (int i = 0; i < 500; ++i) log.info("tick", {{"thread", t}, {"i", i}});
        });
    }
    for (int i = 0; i < 50; ++i) log.reopen();
    for (auto& thread : threads) thread.join();
    const auto lines = lines_of(folder.file());
    BOOST_TEST(lines.size() == 2000U);
    for (const auto& line : lines) BOOST_TEST(json::Document::parse(line).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
