#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <csignal>
#include <set>
#include <sys/resource.h>
#include <thread>

#include "core/async/deadline.hpp"
#include "store/sqlite/connection.hpp"
#include "tests/unit/store/support.hpp"

namespace postern::store {

namespace asio = boost::asio;
using test::item_claim;
using test::item_insert;
using test::says;

namespace {

constexpr Statement limit_pages{"limit_pages", "PRAGMA max_page_count=20"};
constexpr Statement lift_pages{"lift_pages", "PRAGMA max_page_count=1000000"};
constexpr Statement wait_shortly{"wait_shortly", "PRAGMA busy_timeout=1"};
constexpr Statement item_fill{"item_fill", "INSERT INTO item (id, data) VALUES ($1, $2)"};

struct Tally {
    std::atomic<int> won{0}, lost{0}, failed{0};
};

core::Task<void> attempt(Database& db, Batch batch, Tally& tally) {
    const Written written = co_await db.write(std::move(batch));
    ++(written ? tally.won : tally.lost);
}

/// Spawns `batches` on one context and runs it until all are answered.
class Crowd {
public:
    explicit Crowd(Database& db) : db_(db) {}
    void add(Batch batch) {
        asio::co_spawn(context_, attempt(db_, std::move(batch), tally), [this](std::exception_ptr e) {
            if (e) ++tally.failed;
        });
    }
    /// Until each batch is in the writer's queue.
    void queue() { context_.poll(); }
    void run() { context_.run(); }
    Tally tally;

private:
    Database& db_;
    asio::io_context context_{1};
};

constexpr Statement begin{"begin", "BEGIN IMMEDIATE"};
constexpr Statement commit{"commit", "COMMIT"};
constexpr Statement part_insert{"part_insert", "INSERT INTO part (id, item_id) VALUES ($1, $2)"};

/// Another process at the database: nothing can be written while it lives.
class Intruder {
public:
    explicit Intruder(const std::string& path) : connection_(path, sqlite::Connection::Access::read_write) {
        connection_.script("BEGIN IMMEDIATE", "intruder");
    }
    void leave() { connection_.script("ROLLBACK", "intruder"); }

private:
    sqlite::Connection connection_;
};

Batch one(const Statement& statement, Values parameters) {
    Batch batch;
    batch.add(statement, std::move(parameters));
    return batch;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_writer)

BOOST_AUTO_TEST_CASE(a_refused_commit_is_not_taken_for_one) {
    const test::Store s;
    sqlite::Connection connection(s.path(), sqlite::Connection::Access::read_write);
    connection.control(begin);
    static_cast<void>(connection.run(part_insert, values(std::int64_t{1}, std::int64_t{99})));  // of no item
    BOOST_CHECK_EXCEPTION(connection.control(commit), std::logic_error, says<std::logic_error>("store: commit was refused: FOREIGN KEY constraint failed"));
    BOOST_TEST(connection.in_transaction());
}

BOOST_AUTO_TEST_CASE(conflicts_do_not_disturb_neighbours_in_the_same_commit) {
    test::Store store;
    store.write(item_insert, values(1000, "taken")).value();
    Intruder intruder(store.path());
    Crowd crowd(store.db());
    for (int i = 0; i < 200; ++i) {
        Batch batch;
        batch.add(item_insert, values(i, std::to_string(i)));
        if (i % 4 == 1) batch.add(item_insert, values(2000 + i, "taken"));
        if (i % 4 == 2) batch.add(item_claim, values(1000, 7));
        if (i % 4 == 3) batch.add(item_claim, values(i, 1));
        crowd.add(std::move(batch));
    }
    crowd.queue();
    intruder.leave();
    crowd.run();
    BOOST_TEST(crowd.tally.won == 100);
    BOOST_TEST(crowd.tally.lost == 100);
    BOOST_TEST(crowd.tally.failed == 0);
    std::set<std::int64_t> expected{1000};
    for (int i = 0; i < 200; ++i) {
        if (i % 4 == 0 || i % 4 == 3) expected.insert(i);
    }
    std::set<std::int64_t> found;
    for (const auto& row : store.read(test::item_ids)) found.insert(row.integer(0));
    BOOST_TEST(found == expected, boost::test_tools::per_element());
    // The first write, the one that met the lock with whatever was there, and the rest.
    const auto text = store.metrics().scrape();
    BOOST_TEST((text.find("postern_store_commits_total 2\n") != std::string::npos ||
                text.find("postern_store_commits_total 3\n") != std::string::npos));
    BOOST_TEST(text.find("postern_store_batches_total{result=\"conflict\"} 100\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(dangling_key_does_not_disturb_neighbours_in_the_same_commit) {
    static constexpr Statement dangling{"dangling", "INSERT INTO part (id, item_id) VALUES ($1, 99)"};
    test::Store store;
    Intruder intruder(store.path());
    Crowd crowd(store.db());
    for (int i = 1; i <= 30; ++i) crowd.add(i % 3 == 0 ? one(dangling, values(i)) : one(item_insert, values(i, nullptr)));
    crowd.queue();
    intruder.leave();
    crowd.run();
    BOOST_TEST(crowd.tally.won == 20);
    BOOST_TEST(crowd.tally.lost == 10);
    BOOST_TEST(store.count() == 20);
}

BOOST_AUTO_TEST_CASE(one_of_64_wins_a_guarded_row) {
    test::Store store;
    store.write(item_insert, values(1, "prize")).value();
    Tally tally;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            asio::io_context context(1);
            for (int i = 0; i < 16; ++i) {
                asio::co_spawn(context, attempt(store.db(), one(item_claim, values(1, 1)), tally),
                               [&](std::exception_ptr e) {
                                   if (e) ++tally.failed;
                               });
            }
            context.run();
        });
    }
    for (auto& t : threads) t.join();
    BOOST_TEST(tally.won == 1);
    BOOST_TEST(tally.lost == 63);
}

BOOST_AUTO_TEST_CASE(full_database_is_unavailable_until_there_is_room) {
    test::Store store;
    store.write(limit_pages, {}, Expect::any).value();
    const core::Bytes big(100'000, 7);
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(store.write(item_fill, values(1, big)), E, says<E>("item_fill: database or disk is full"));
    BOOST_TEST(store.count() == 0);
    BOOST_TEST(store.write(item_insert, values(2, "small")).has_value());
    store.write(lift_pages, {}, Expect::any).value();
    BOOST_TEST(store.write(item_fill, values(1, big)).has_value());
    BOOST_TEST(store.count() == 2);
}

BOOST_AUTO_TEST_CASE(full_database_fails_the_commit_or_the_job_but_loses_nothing_acknowledged) {
    test::Store store;
    store.write(limit_pages, {}, Expect::any).value();
    Intruder intruder(store.path());
    Crowd crowd(store.db());
    const core::Bytes big(100'000, 7);
    for (int i = 1; i <= 40; ++i) {
        crowd.add(i % 2 == 0 ? one(item_fill, values(i, big)) : one(item_insert, values(i, nullptr)));
    }
    crowd.queue();
    intruder.leave();
    crowd.run();
    BOOST_TEST(crowd.tally.failed >= 20);
    BOOST_TEST(store.count() == crowd.tally.won);
}

BOOST_AUTO_TEST_CASE(foreign_lock_is_unavailable_and_passes) {
    test::Store store;
    store.write(wait_shortly, {}, Expect::any).value();
    Intruder intruder(store.path());
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(store.write(item_insert, values(1, "a")), E, says<E>("database is locked"));
    BOOST_TEST(store.count() == 0);
    intruder.leave();
    BOOST_TEST(store.write(item_insert, values(1, "a")).has_value());
}

BOOST_AUTO_TEST_CASE(refused_disk_write_is_undone_and_passes) {
    test::Store store;
    store.write(item_insert, values(1, "a")).value();
    // A file size limit is the refusing disk that needs no device.
    const auto previous = std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    rlimit tight = old;
    tight.rlim_cur = 64 * 1024;
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    using E = core::Unavailable;
    std::string first;
    try {
        (void)store.write(item_fill, values(2, core::Bytes(1'000'000, 7)));
    } catch (const E& e) {
        first = e.what();
    }
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    std::signal(SIGXFSZ, previous);
    BOOST_TEST(first.find("disk I/O error") != std::string::npos);
    BOOST_TEST(store.db().trouble().find("disk I/O error") != std::string::npos);
    BOOST_TEST(store.write(item_insert, values(3, "c")).has_value());
    BOOST_TEST(store.db().trouble().empty());
    BOOST_TEST(store.count() == 2);
}

BOOST_AUTO_TEST_CASE(cancelled_waiter_leaves_its_write_alone) {
    test::Store store;
    Intruder intruder(store.path());
    asio::io_context context(1);
    asio::cancellation_signal cancel;
    Tally tally;
    asio::co_spawn(context, attempt(store.db(), one(item_insert, values(1, "a")), tally),
                   asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
    context.poll();
    cancel.emit(asio::cancellation_type::terminal);
    context.poll();
    intruder.leave();
    context.run();
    BOOST_TEST(tally.won == 1);
    BOOST_TEST(store.count() == 1);
}

BOOST_AUTO_TEST_CASE(waiters_of_a_stopped_context_are_dropped_quietly) {
    test::Store store;
    {
        asio::io_context context(1);
        Tally tally;
        for (int i = 0; i < 50; ++i) {
            asio::co_spawn(context, attempt(store.db(), one(item_insert, values(i, nullptr)), tally), [](std::exception_ptr) {});
        }
        context.poll();
        context.stop();
        store.db().close();  // the answers are posted to a context that never runs again
        BOOST_TEST(tally.failed == 0);
    }
}

BOOST_AUTO_TEST_CASE(long_logs_are_checkpointed) {
    test::Store store;
    const core::Bytes big(200'000, 3);
    for (int i = 0; i < 250; ++i) store.write(item_fill, values(i, big)).value();  // 50 MB through a 16 MiB log
    BOOST_TEST(std::filesystem::file_size(store.path()) > 20'000'000U);
    BOOST_TEST(std::filesystem::file_size(store.path() + "-wal") < 30'000'000U);
    BOOST_TEST(store.count() == 250);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
