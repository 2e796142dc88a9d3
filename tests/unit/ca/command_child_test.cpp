#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ca/command/answer.hpp"
#include "ca/command/child.hpp"
#include "ca/command/program.hpp"
#include "core/async/shards.hpp"
#include "tests/support/folder.hpp"

/// How a program is run, and what it may say. What a whole CA does with it is tests/foreign.
BOOST_AUTO_TEST_SUITE(command_child)

using namespace postern;
using namespace std::chrono_literals;
using ca::command::Ended;

namespace {

ca::command::Program shell(std::string script, std::string input = {}) {
    ca::command::Program p;
    p.argv = {"/bin/sh", "-c", std::move(script)};
    p.environment = {"PATH=/usr/bin:/bin"};
    p.input = std::move(input);
    p.deadline = core::deadline_in(30s);
    return p;
}

Ended end_of(ca::command::Program program) {
    core::CpuPool starters(1, 4);
    return core::run_to_end(ca::command::run(std::move(program), starters));
}

Ended said(std::string output) {
    Ended out;
    out.how = Ended::How::exited;
    out.output = std::move(output);
    return out;
}

std::string why_no_answer(const Ended& ended, std::string_view operation = "issue") {
    const auto answer = ca::command::read_answer(ended, operation, 65536);
    BOOST_TEST_REQUIRE(!answer.has_value());
    return answer.error().detail;
}

/// Or adopted by somebody who has not waited for it yet.
bool dead(int pid) {
    char state = '?';
    std::string word;
    std::ifstream about("/proc/" + std::to_string(pid) + "/stat");
    if (about >> word >> word) about >> state;
    return !about || state == 'Z' || state == 'X';
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(it_reads_its_input_and_says_what_it_has_to_say) {
    const std::string long_input(300'000, 'x');  // more than any pipe holds
    const auto ended = end_of(shell("wc -c; echo oh >&2; exit 3", long_input));
    BOOST_TEST((ended.how == Ended::How::exited && ended.code == 3));
    BOOST_TEST(ended.output == "300000\n");
    BOOST_TEST(ended.errors == "oh\n");
}

BOOST_AUTO_TEST_CASE(one_that_reads_nothing_does_not_matter) {
    const auto ended = end_of(shell("exec <&-; echo {}", std::string(300'000, 'x')));
    BOOST_TEST((ended.how == Ended::How::exited && ended.output == "{}\n"));
}

BOOST_AUTO_TEST_CASE(all_that_was_written_is_read_to_the_last_octet) {
    auto program = shell("dd if=/dev/zero bs=1000 count=60 2>/dev/null | tr '\\0' x");
    const auto ended = end_of(std::move(program));
    BOOST_TEST(ended.output.size() == 60'000U);
}

BOOST_AUTO_TEST_CASE(a_signal_is_told) {
    const auto ended = end_of(shell("kill -9 $$"));
    BOOST_TEST((ended.how == Ended::How::signalled && ended.code == SIGKILL));
    BOOST_TEST(ended.text() == "killed by signal 9");
}

BOOST_AUTO_TEST_CASE(too_much_is_killed_and_kept_by_nobody) {
    auto program = shell("yes");
    program.output_limit = 4096;
    const auto ended = end_of(std::move(program));
    BOOST_TEST((ended.how == Ended::How::too_much && ended.output.empty()));
}

BOOST_AUTO_TEST_CASE(standard_error_is_cut_and_does_not_stop_the_program) {
    const auto ended = end_of(shell("dd if=/dev/zero bs=1000 count=500 >&2 2>/dev/null; echo done"));
    BOOST_TEST(ended.output == "done\n");
    BOOST_TEST(ended.errors.size() == 2048U);
}

BOOST_AUTO_TEST_CASE(one_that_never_stops_complaining_holds_nobody_up) {
    auto program = shell("yes oh >&2");
    program.deadline = core::deadline_in(300ms);
    BOOST_TEST((end_of(std::move(program)).how == Ended::How::late));
}

BOOST_AUTO_TEST_CASE(its_time_ends_it_with_its_children) {
    const test::Folder folder;
    auto program = shell("trap '' TERM; sleep 600 & echo $! > " + folder.file("pid") + "; while :; do sleep 600; done");
    program.deadline = core::deadline_in(500ms);
    const auto ended = end_of(std::move(program));
    BOOST_TEST((ended.how == Ended::How::late));
    int pid = 0;
    std::ifstream(folder.file("pid")) >> pid;
    BOOST_TEST_REQUIRE(pid > 0);
    // A signal takes a moment to arrive.
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!dead(pid) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
    BOOST_TEST(dead(pid));
}

/// As `kill -9` on the server: nobody is left to clean up.
BOOST_AUTO_TEST_CASE(the_group_dies_with_a_server_that_is_killed) {
    const test::Folder folder;
    const auto server = ::fork();
    if (server == 0) {
        end_of(shell("trap '' TERM; sleep 600 & echo $! > " + folder.file("new") + "; mv " + folder.file("new") + " " + folder.file("pid") + "; wait"));
        ::_exit(0);
    }
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!std::filesystem::exists(folder.file("pid")) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
    int pid = 0;
    std::ifstream(folder.file("pid")) >> pid;
    BOOST_TEST_REQUIRE(pid > 0);
    BOOST_TEST(!dead(pid));
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    while (!dead(pid) && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
    BOOST_TEST(dead(pid));
    if (!dead(pid)) ::kill(pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(its_guard_ends_with_it) {
    const auto children = [] {
        std::ifstream list("/proc/self/task/" + std::to_string(::getpid()) + "/children");
        std::size_t count = 0;
        for (int pid = 0; list >> pid;) ++count;
        return count;
    };
    const auto before = children();
    for (int times = 0; times < 5; ++times) end_of(shell("echo {}"));
    BOOST_TEST(children() == before);
}

BOOST_AUTO_TEST_CASE(what_comes_too_late_is_not_started) {
    const test::Folder folder;
    auto program = shell("touch " + folder.file("started"));
    program.latest_start = core::deadline_in(-1ms);
    const auto ended = end_of(std::move(program));
    BOOST_TEST((ended.how == Ended::How::not_started && ended.code == ETIMEDOUT));
    BOOST_TEST(!std::filesystem::exists(folder.file("started")));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_started_says_why) {
    auto program = shell("true");
    program.argv.front() = "/nowhere/sh";
    const auto ended = end_of(std::move(program));
    BOOST_TEST((ended.how == Ended::How::not_started && ended.code == ENOENT));
    BOOST_TEST(ended.text() == "could not be started: No such file or directory");
    auto elsewhere = shell("true");
    elsewhere.directory = "/nowhere";
    BOOST_TEST((end_of(std::move(elsewhere)).how == Ended::How::not_started));
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_left_open_by_many_runs) {
    const auto open_now = [] {
        const std::filesystem::directory_iterator folder("/proc/self/fd");
        return std::distance(begin(folder), end(folder));
    };
    end_of(shell("true"));
    const auto before = open_now();
    for (int i = 0; i < 20; ++i) end_of(shell("echo {}"));
    BOOST_TEST(open_now() == before);
}

BOOST_AUTO_TEST_CASE(answers_are_strict_and_name_what_is_wrong) {
    BOOST_TEST(contains(why_no_answer(said("")), "printed nothing"));
    BOOST_TEST(contains(why_no_answer(said("yes")), "no JSON"));
    BOOST_TEST(contains(why_no_answer(said("[]")), "no JSON object"));
    BOOST_TEST(contains(why_no_answer(said("{}")), "$.status"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "issued"})")), "$.chain"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "revoked"})")), "no answer to issue"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "absent"})")), "no answer to issue"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "pending", "handle": "a b"})")), "$.handle"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "pending", "poll_after": "soon"})")), "$.poll_after"));
    BOOST_TEST(contains(why_no_answer(said(R"({"status": "ok"} x)"), "test"), "no JSON"));
    BOOST_TEST(contains(why_no_answer(said(std::string("{\"status\": \"ok\"}\0", 17)), "test"), "no JSON"));
    auto failed = said(R"({"status": "ok"})");
    failed.code = 1;
    failed.errors = "bell \a\nsecond line";
    BOOST_TEST(contains(why_no_answer(failed, "test"), "exit status 1; it said: bell \\u0007\\u000asecond line"));
}

BOOST_AUTO_TEST_CASE(waits_are_brought_within_a_day) {
    const auto after = [](std::string text) { return ca::command::read_answer(said(std::move(text)), "issue", 65536).value().after.count(); };
    BOOST_TEST(after(R"({"status": "pending"})") == 30);
    BOOST_TEST(after(R"({"status": "pending", "poll_after": -5})") == 1);
    BOOST_TEST(after(R"({"status": "pending", "poll_after": 10000000})") == 86400);
    BOOST_TEST(after(R"({"status": "unavailable", "retry_after": 60})") == 60);
}

BOOST_AUTO_TEST_CASE(only_files_that_nobody_else_may_change_are_run) {
    const test::Folder folder;
    const auto program = folder.file("program");
    std::ofstream(program) << "#!/bin/sh\n";
    ::chmod(program.c_str(), 0755);
    using ca::command::why_not_run;
    BOOST_TEST(why_not_run({program}) == "");
    BOOST_TEST(why_not_run({"/bin/sh", program}) == "");
    BOOST_TEST(contains(why_not_run({}), "absolute path"));
    BOOST_TEST(contains(why_not_run({"program"}), "absolute path"));
    BOOST_TEST(contains(why_not_run({folder.file("none")}), "No such file"));
    BOOST_TEST(contains(why_not_run({"/"}), "no program"));
    ::chmod(program.c_str(), 0775);
    BOOST_TEST(contains(why_not_run({program}), "writable by others"));
    BOOST_TEST(contains(why_not_run({"/bin/sh", program}), "writable by others"));
    ::chmod(program.c_str(), 0755);
    const auto inner = folder.file("inner");
    ::mkdir(inner.c_str(), 0700);
    ::chmod(inner.c_str(), 0777);
    std::filesystem::copy(program, inner + "/program");
    BOOST_TEST(contains(why_not_run({inner + "/program"}), "inner is writable by others"));
    // The way of a link counts, and what it leads to.
    std::filesystem::create_symlink(inner + "/program", folder.file("link"));
    BOOST_TEST(contains(why_not_run({folder.file("link")}), "inner is writable by others"));
    // So does each hop: a link in a folder that others may write to leads wherever they like.
    std::filesystem::create_symlink(program, inner + "/hop");
    std::filesystem::create_symlink("inner/hop", folder.file("first"));
    BOOST_TEST(contains(why_not_run({folder.file("first")}), "inner is writable by others"));
    ::chmod(inner.c_str(), 0755);
    BOOST_TEST(why_not_run({folder.file("first")}) == "");
    std::filesystem::create_symlink("../" + std::filesystem::path(inner).parent_path().filename().string() + "/./program", folder.file("round"));
    BOOST_TEST(why_not_run({folder.file("round")}) == "");
    std::filesystem::create_symlink("loop", folder.file("loop"));
    BOOST_TEST(contains(why_not_run({folder.file("loop")}), "Too many levels"));
}

BOOST_AUTO_TEST_SUITE_END()
