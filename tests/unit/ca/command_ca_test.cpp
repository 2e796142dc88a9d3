#include <boost/asio/thread_pool.hpp>

#include "ca/command/command_ca.hpp"
#include "tests/unit/ca/support.hpp"

/// When a command is started, and when not any more. What a whole CA does with it is tests/foreign.
BOOST_AUTO_TEST_SUITE(command_ca)

using namespace postern;
using namespace postern::test;

namespace {

/// A program that leaves a trace of each run, one at a time.
struct Lab {
    Lab() {
        program = write_file(folder.file("ca.sh"), "#!/bin/sh\necho run >> " + trace + "\necho '{\"status\": \"pending\", \"handle\": \"h\"}'\n");
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        d.name = "default/lab";
        d.argv = {program};
        d.environment = {"PATH=/usr/bin:/bin"};
        d.trust_anchors = run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=Lab -days 30 2>/dev/null").text;
        d.at_once = 1;
        d.queue = 0;
        BOOST_TEST_REQUIRE(ca.describe(d));
    }
    ~Lab() {
        executor.stop();
        executor.join();
    }
    core::Result<ca::Outcome> issue(core::Deadline deadline) {
        const auto authorized = ra::Enrollment::authorize(content_at(clock.now(), leaf_key()));
        ca::Prepared prepared;
        prepared.tbs = core::to_bytes(core::as_bytes(std::string_view("{}")));
        return core::run_to_end(ca.issue(authorized, prepared, deadline));
    }
    std::string runs() { return read_file(trace); }

    Folder folder;
    ca::BackendDescription d;
    const std::string trace = folder.file("trace");
    std::string program;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    observe::Log log{observe::Level::error, folder.file("log"), true};
    boost::asio::thread_pool executor{1};
    core::CpuPool starters{1, 16};
    ca::command::CommandCa::Deps deps() { return {executor.get_executor(), clock, log, metrics, starters}; }
    ca::command::CommandCa ca{deps(), "default/lab"};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_comes_too_late_is_not_started_and_takes_no_place) {
    Lab lab;
    for (int times = 0; times < 2; ++times) {
        const auto late = lab.issue(core::deadline_in(-1ms));
        BOOST_TEST_REQUIRE(!late.has_value());
        BOOST_TEST((late.error().kind == core::ProblemKind::unavailable));
        BOOST_TEST(late.error().detail == "the command of backend default/lab could not be started in time");
        BOOST_TEST(lab.runs().empty());
    }
    const auto in_time = lab.issue(core::deadline_in(30s));
    BOOST_TEST_REQUIRE(in_time.has_value());
    BOOST_TEST(std::holds_alternative<ca::Pending>(*in_time));
    BOOST_TEST(lab.runs() == "run\n");
}

BOOST_AUTO_TEST_CASE(a_disabled_one_takes_nothing_new_and_is_asked_about_what_it_has) {
    Lab lab;
    ca::command::Commands commands(lab.deps());
    commands.describe({lab.d});
    auto* backend = commands.find("default/lab");
    BOOST_TEST_REQUIRE(backend != nullptr);
    lab.d.active = false;
    commands.describe({lab.d});
    BOOST_TEST(commands.find("default/lab") == nullptr);
    BOOST_TEST_REQUIRE(commands.reach("default/lab") == backend);
    const auto authorized = ra::Enrollment::authorize(content_at(lab.clock.now(), leaf_key()));
    BOOST_TEST(!backend->prepare(authorized).has_value());
    const auto refused = core::run_to_end(backend->issue(authorized, ca::Prepared(), core::deadline_in(30s)));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == core::ProblemKind::unavailable && lab.runs().empty()));
    ca::Submitted submitted;
    submitted.content = "{}";
    const auto pending = core::run_to_end(backend->poll(submitted));
    BOOST_TEST_REQUIRE(pending.has_value());
    BOOST_TEST((std::holds_alternative<ca::Pending>(*pending) && lab.runs() == "run\n"));
    // Removed, it is asked no more; what comes back all the same is judged by what was declared last.
    commands.describe({});
    BOOST_TEST(commands.reach("default/lab") == nullptr);
    BOOST_TEST(!core::run_to_end(backend->poll(submitted)).has_value());
    ca::Issued issued;
    issued.received = "nothing";
    BOOST_TEST(backend->check(issued, authorized.content(), ca::Prepared()).error().check == "issued.encoding");
    BOOST_TEST(backend->capabilities().revoke == false);
    lab.d.active = true;
    commands.describe({lab.d});
    BOOST_TEST(commands.find("default/lab") == backend);
}

BOOST_AUTO_TEST_SUITE_END()
