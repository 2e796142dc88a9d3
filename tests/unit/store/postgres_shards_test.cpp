#include "core/async/shards.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

using test::eventually;
using test::item_insert;
using test::item_raise;
using test::Items;

namespace {

/// Calls of shards, each made and told of on the shard's own thread.
class OnShards {
public:
    OnShards(Database& db, core::Shards& shards) : db_(db), shards_(shards) {
        db_.use_shards(shards_);
        shards_.start();
    }
    ~OnShards() {
        db_.close();
        shards_.stop();
    }

    /// `times` raises of item 1 from shard `i`, one after another.
    void raise(std::size_t i, int times) {
        expected_ += times;
        boost::asio::co_spawn(shards_.at(i), raise_all(shards_.at(i), times), [](std::exception_ptr) {});
    }
    void wait() {
        eventually([&] { return won + failed + lost == expected_; }, "every call is answered");
    }

    std::atomic<int> won{0}, lost{0}, failed{0}, elsewhere{0};

private:
    core::Task<void> raise_all(boost::asio::io_context& shard, int times) {
        for (int i = 0; i < times; ++i) {
            try {
                Batch batch;
                batch.add(item_raise, values(1));
                const Written written = co_await db_.write(std::move(batch));
                ++(written ? won : lost);
            } catch (const StoreUnavailable&) {
                ++failed;
            }
            if (!shard.get_executor().running_in_this_thread()) ++elsewhere;
        }
    }

    Database& db_;
    core::Shards& shards_;
    int expected_ = 0;
};

struct WithShards {
    core::Shards shards;
};

/// As the server opens it: the shards outlive the store, whose timers and sockets are theirs.
struct ForShards : WithShards, Items {
    ForShards(int connections, std::size_t count) : WithShards{core::Shards(count)}, Items([connections](PostgresSettings& s) {
        s.connections = connections;
        s.for_shards = true;
    }) {
        write(item_insert, values(1, "one")).value();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres_shards)

BOOST_AUTO_TEST_CASE(shards_and_others_call_beside_each_other) {
    ForShards items(10, 3);
    BOOST_TEST(items.metric("postern_store_connections") <= 2);
    OnShards calls(items.db(), items.shards);
    for (std::size_t shard = 0; shard < 3; ++shard)
        for (int i = 0; i < 4; ++i) calls.raise(shard, 25);
    for (int i = 0; i < 20; ++i) items.write(item_raise, values(1)).value();
    calls.wait();
    BOOST_TEST(calls.won == 300);
    BOOST_TEST(calls.elsewhere == 0);
    BOOST_TEST(items.version(1) == 1 + 300 + 20);
    eventually([&] { return items.metric("postern_store_connections") == 10; }, "all connections are up, and no more");
}

BOOST_AUTO_TEST_CASE(ended_sessions_of_shards_do_nothing_twice_and_lose_nothing) {
    ForShards items(10, 2);
    OnShards calls(items.db(), items.shards);
    for (int round = 1; round <= 5; ++round) {
        for (std::size_t shard = 0; shard < 2; ++shard)
            for (int i = 0; i < 4; ++i) calls.raise(shard, 20);
        items.schema().terminate();
        calls.wait();
        BOOST_TEST(calls.failed == 0);
        BOOST_TEST(items.version(1) == 1 + calls.won);
    }
    BOOST_TEST(items.notices.count("store_connection_lost") >= 1U);
    eventually([&] { return items.metric("postern_store_connections") == 10; }, "all connections are back");
}

BOOST_AUTO_TEST_CASE(closing_answers_what_is_under_way_and_refuses_the_rest) {
    ForShards items(10, 2);
    OnShards calls(items.db(), items.shards);
    for (std::size_t shard = 0; shard < 2; ++shard)
        for (int i = 0; i < 8; ++i) calls.raise(shard, 200);
    eventually([&] { return calls.won > 50; }, "the calls have begun");
    items.db().close();
    calls.wait();
    BOOST_TEST(calls.won + calls.failed == 3200);
    BOOST_TEST(calls.failed > 0);
    BOOST_TEST(items.admin().value("SELECT version FROM " + items.table("item") + " WHERE id = 1") == std::to_string(1 + calls.won));
    BOOST_TEST(items.metric("postern_store_connections") == 0);
}

BOOST_AUTO_TEST_CASE(with_few_connections_the_shards_share_them) {
    ForShards items(4, 4);
    OnShards calls(items.db(), items.shards);
    for (std::size_t shard = 0; shard < 4; ++shard) calls.raise(shard, 25);
    calls.wait();
    BOOST_TEST(calls.won == 100);
    BOOST_TEST(calls.elsewhere == 0);
    BOOST_TEST(items.metric("postern_store_connections") <= 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
