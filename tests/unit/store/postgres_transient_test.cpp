#include "tests/unit/store/postgres_support.hpp"

/// Batches whose rows a crash may take.
namespace postern::store {

using test::Calls;
using test::eventually;
using test::Items;

namespace {

constexpr Statement fleeting_once{"fleeting_once", "INSERT INTO fleeting (id) VALUES ($1) ON CONFLICT (id) DO NOTHING"};
constexpr Statement fleeting_count{"fleeting_count", "SELECT count(*) FROM fleeting"};

struct Fleeting : Items {
    Fleeting() { admin().run("CREATE UNLOGGED TABLE " + table("fleeting") + " (id BIGINT PRIMARY KEY)"); }
    Batch put(std::int64_t id) const {
        Batch batch;
        batch.add(fleeting_once, values(id)).transient();
        return batch;
    }
    /// How many of 50 batches were answered before the server's log was on the disk up to its end.
    int ahead_of_the_disk(std::int64_t from, bool transient) {
        int ahead = 0;
        for (std::int64_t id = from; id < from + 50; ++id) {
            Batch batch;
            batch.add(fleeting_once, values(id));
            if (transient) batch.transient();
            write(std::move(batch)).value();
            ahead += admin().value("SELECT pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn()") == "t" ? 1 : 0;
        }
        return ahead;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres_transient)

BOOST_AUTO_TEST_CASE(expectations_hold_as_ever) {
    Fleeting items;
    BOOST_TEST(items.write(items.put(1)).has_value());
    const auto again = items.write(items.put(1));
    BOOST_TEST_REQUIRE(!again.has_value());
    BOOST_TEST((again.error().kind == Conflict::Kind::expectation && again.error().statement == &fleeting_once));
}

BOOST_AUTO_TEST_CASE(no_commit_waits_for_the_disk) {
    Fleeting items;
    const int lasting = items.ahead_of_the_disk(1, false), transient = items.ahead_of_the_disk(101, true);
    BOOST_TEST_MESSAGE("answered before the disk had it: " << transient << " of 50 transient batches, " << lasting << " of 50 others");
    BOOST_TEST(transient > lasting);
}

BOOST_AUTO_TEST_CASE(after_a_broken_connection_it_is_sent_once_more_and_no_mark_is_asked_for) {
    Fleeting items;
    test::Session holder;
    holder.run("BEGIN");
    holder.run("LOCK TABLE " + items.table("fleeting"));
    Calls calls(items.db());
    calls.write(items.put(1));
    eventually([&] { return items.blocked() == 1; }, "the batch waits for the lock");
    items.schema().terminate();
    holder.run("COMMIT");
    calls.wait();
    BOOST_TEST((calls.won == 1 && calls.failed == 0));
    BOOST_TEST(items.read(fleeting_count).at(0).integer(0) == 1);
    BOOST_TEST(items.admin().value("SELECT count(*) FROM " + items.table("write_mark")) == "0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
