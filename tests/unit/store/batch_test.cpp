#include "tests/unit/store/support.hpp"

namespace postern::store {

using test::item_claim;
using test::item_insert;
using test::says;

namespace {

constexpr Statement item_guard{"item_guard", "SELECT 1 FROM item WHERE id = $1 AND version = $2"};
constexpr Statement item_touch{"item_touch", "UPDATE item SET version = version + 1"};
constexpr Statement item_break{"item_break", "UPDATE item SET version = 0 WHERE id = $1"};
constexpr Statement part_insert{"part_insert", "INSERT INTO part (id, item_id) VALUES ($1, $2)"};
constexpr Statement label_insert{"label_insert", "INSERT INTO label (id, item_id) VALUES ($1, $2)"};
constexpr Statement item_delete{"item_delete", "DELETE FROM item WHERE id = $1"};
constexpr Statement nonsense{"nonsense", "SELECT missing FROM item"};
constexpr Statement two_texts{"two_texts", "SELECT 1; SELECT 2"};
constexpr Statement returning{"returning", "INSERT INTO item (id) VALUES ($1) RETURNING id"};

void check_conflict(const Written& written, Conflict::Kind kind, const Statement& statement) {
    BOOST_REQUIRE(written.has_error());
    BOOST_TEST((written.error().kind == kind));
    BOOST_TEST(written.error().statement == &statement);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_batch)

BOOST_AUTO_TEST_CASE(own_write_is_seen_at_once) {
    test::Store store;
    for (int i = 1; i <= 20; ++i) {
        store.write(item_insert, values(i, nullptr)).value();
        BOOST_TEST(store.count() == i);
    }
    BOOST_TEST(store.db().engine() == "sqlite");
}

BOOST_AUTO_TEST_CASE(empty_batch_is_written) {
    test::Store store;
    BOOST_TEST(store.write(Batch()).has_value());
}

BOOST_AUTO_TEST_CASE(missed_update_undoes_the_whole_batch) {
    test::Store store;
    Batch batch;
    batch.add(item_insert, values(1, "a")).add(item_claim, values(1, 2)).add(item_insert, values(2, "b"));
    check_conflict(store.write(std::move(batch)), Conflict::Kind::expectation, item_claim);
    BOOST_TEST(store.count() == 0);
}

BOOST_AUTO_TEST_CASE(update_of_two_rows_misses_one) {
    test::Store store;
    store.write(item_insert, values(1, "a")).value();
    BOOST_TEST(store.write(item_touch, {}).has_value());
    store.write(item_insert, values(2, "b")).value();
    check_conflict(store.write(item_touch, {}), Conflict::Kind::expectation, item_touch);
    BOOST_TEST(store.write(item_touch, {}, Expect::any).has_value());
}

BOOST_AUTO_TEST_CASE(any_accepts_nothing_found) {
    test::Store store;
    BOOST_TEST(store.write(item_claim, values(9, 9), Expect::any).has_value());
}

BOOST_AUTO_TEST_CASE(select_guards_what_follows) {
    test::Store store;
    store.write(item_insert, values(1, "a")).value();
    Batch held;
    held.add(item_guard, values(1, 1)).add(item_insert, values(2, "b"));
    BOOST_TEST(store.write(std::move(held)).has_value());
    Batch missed;
    missed.add(item_insert, values(3, "c")).add(item_guard, values(1, 2));
    check_conflict(store.write(std::move(missed)), Conflict::Kind::expectation, item_guard);
    BOOST_TEST(store.count() == 2);
}

BOOST_AUTO_TEST_CASE(returning_counts_changes) {
    test::Store store;
    BOOST_TEST(store.write(returning, values(1)).has_value());
    check_conflict(store.write(returning, values(1)), Conflict::Kind::duplicate, returning);
}

BOOST_AUTO_TEST_CASE(duplicate_names_the_statement) {
    test::Store store;
    store.write(item_insert, values(1, "a")).value();
    const auto by_key = store.write(item_insert, values(1, "b"));
    check_conflict(by_key, Conflict::Kind::duplicate, item_insert);
    BOOST_TEST(to_string(by_key.error()) == "item_insert met a row that is unique");
    Batch batch;
    batch.add(part_insert, values(1, 1)).add(item_insert, values(2, "a"));
    check_conflict(store.write(std::move(batch)), Conflict::Kind::duplicate, item_insert);
    BOOST_TEST(store.count() == 1);
}

BOOST_AUTO_TEST_CASE(appended_steps_follow) {
    test::Store store;
    Batch tail;
    tail.add(item_claim, values(1, 1));
    Batch batch;
    batch.add(item_insert, values(1, "a")).append(std::move(tail));
    BOOST_TEST(batch.steps().size() == 2U);
    BOOST_TEST(store.write(std::move(batch)).has_value());
}

BOOST_AUTO_TEST_CASE(broken_invariants_throw_and_name_the_statement) {
    test::Store store;
    store.write(item_insert, values(1, "a")).value();
    using E = std::logic_error;
    BOOST_CHECK_EXCEPTION(store.write(item_break, values(1)), E, says<E>("item_break: CHECK constraint failed"));
    BOOST_CHECK_EXCEPTION(store.write(part_insert, values(1, nullptr)), E,
                          says<E>("part_insert: NOT NULL constraint failed"));
    BOOST_CHECK_EXCEPTION(store.write(nonsense, {}), E, says<E>("nonsense: no such column: missing"));
    BOOST_CHECK_EXCEPTION(store.write(two_texts, {}), E, says<E>("two_texts is not exactly one statement"));
    BOOST_CHECK_EXCEPTION(store.write(item_insert, values(1)), E,
                          says<E>("item_insert takes 2 parameters, not 1"));
    BOOST_CHECK_EXCEPTION(store.read(item_insert, values(5, "e")), E,
                          says<E>("item_insert writes; it belongs into a batch"));
    BOOST_CHECK_EXCEPTION(store.write(item_insert, values(1, "a")).value(), E,
                          says<E>("a batch that cannot conflict did: item_insert met a row that is unique"));
    BOOST_TEST(store.write(item_insert, values(2, "b")).has_value());
    BOOST_TEST(store.count() == 2);
}

BOOST_AUTO_TEST_CASE(foreign_keys_refuse_orphans_and_deletions) {
    test::Store store;
    const auto deferred = store.write(part_insert, values(1, 99));
    check_conflict(deferred, Conflict::Kind::referenced, part_insert);
    BOOST_TEST(to_string(deferred.error()) == "part_insert is forbidden by a foreign key");
    check_conflict(store.write(label_insert, values(1, 99)), Conflict::Kind::referenced, label_insert);
    store.write(item_insert, values(1, "a")).value();
    store.write(label_insert, values(1, 1)).value();
    check_conflict(store.write(item_delete, values(1)), Conflict::Kind::referenced, item_delete);
    BOOST_TEST(store.count() == 1);
}

BOOST_AUTO_TEST_CASE(foreign_key_may_be_filled_later_in_the_batch) {
    test::Store store;
    Batch batch;
    batch.add(part_insert, values(1, 1)).add(item_insert, values(1, "a"));
    BOOST_TEST(store.write(std::move(batch)).has_value());
}

BOOST_AUTO_TEST_CASE(closed_store_is_unavailable) {
    test::Store store;
    store.db().close();
    store.db().close();
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(store.write(item_insert, values(1, "a")), E, says<E>("closed"));
    BOOST_CHECK_EXCEPTION(store.count(), E, says<E>("closed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
