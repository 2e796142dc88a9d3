#include <csignal>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store/support.hpp"

namespace postern::store {

namespace asio = boost::asio;

namespace {

core::Task<void> insert_and_tell(Database& db, std::int64_t first, int pipe) {
    for (std::int64_t id = first;; id += 8) {
        Batch batch;
        batch.add(test::item_insert, values(id, nullptr)).add(test::item_claim, values(id, 1));
        const Written written = co_await db.write(std::move(batch));
        if (!written || ::write(pipe, &id, sizeof id) != sizeof id) ::_exit(3);
    }
}

/// Writes until it is killed.
[[noreturn]] void child(const std::string& path, int pipe) {
    core::SystemClock clock;
    observe::Metrics metrics;
    const auto db = open_sqlite(path, clock, metrics, test::item_schema);
    asio::io_context context(1);
    for (int i = 1; i <= 8; ++i) asio::co_spawn(context, insert_and_tell(*db, i, pipe), [](std::exception_ptr) { ::_exit(4); });
    context.run();
    ::_exit(5);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_durability)

BOOST_AUTO_TEST_CASE(every_acknowledged_row_outlives_a_kill) {
    constexpr Statement halves{"halves", "SELECT id FROM item WHERE version <> 2"};
    test::Folder folder;
    std::set<std::int64_t> acknowledged;
    for (int round = 0; round < 3; ++round) {
        const std::string path = folder.file(std::to_string(round));
        acknowledged.clear();
        int ends[2];
        BOOST_REQUIRE(::pipe(ends) == 0);
        const pid_t pid = ::fork();
        BOOST_REQUIRE(pid >= 0);
        if (pid == 0) child(path, ends[1]);
        ::close(ends[1]);
        std::int64_t id = 0;
        while (acknowledged.size() < 300U && ::read(ends[0], &id, sizeof id) == sizeof id) acknowledged.insert(id);
        ::kill(pid, SIGKILL);
        while (::read(ends[0], &id, sizeof id) == sizeof id) acknowledged.insert(id);
        ::close(ends[0]);
        int status = 0;
        ::waitpid(pid, &status, 0);
        BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
        BOOST_TEST(acknowledged.size() >= 300U);

        core::SystemClock clock;
        observe::Metrics metrics;
        const auto db = open_sqlite(path, clock, metrics, test::item_schema);
        std::set<std::int64_t> stored;
        for (const auto& row : core::run_to_end(db->read(test::item_ids, {}))) stored.insert(row.integer(0));
        BOOST_TEST(std::includes(stored.begin(), stored.end(), acknowledged.begin(), acknowledged.end()));
        BOOST_TEST(stored.size() <= acknowledged.size() + 8);
        BOOST_TEST(core::run_to_end(db->read(halves, {})).empty());
    }
}

BOOST_AUTO_TEST_CASE(close_finishes_what_is_queued) {
    test::Folder folder;
    core::SystemClock clock;
    observe::Metrics metrics;
    auto db = open_sqlite(folder.file(), clock, metrics, test::item_schema);
    asio::io_context context(1);
    int done = 0;
    for (int i = 1; i <= 500; ++i) {
        Batch batch;
        batch.add(test::item_insert, values(i, nullptr));
        asio::co_spawn(context, db->write(std::move(batch)), [&](std::exception_ptr e, Written w) { done += !e && w; });
    }
    context.poll();
    db->close();
    context.run();
    BOOST_TEST(done == 500);
    db = open_sqlite(folder.file(), clock, metrics, test::item_schema);
    BOOST_TEST(core::run_to_end(db->read(test::item_count, {})).at(0).integer(0) == 500);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
