#include <boost/asio/bind_cancellation_slot.hpp>

#include "store/postgres/bulk.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

namespace asio = boost::asio;
using test::Calls;
using test::eventually;
using test::item_claim;
using test::item_insert;
using test::item_raise;
using test::Items;
using test::says;

namespace {

constexpr Statement item_put{"item_put", "INSERT INTO item (id, name, data, flag) VALUES ($1, $2, $3, $4)"};
constexpr Statement item_all{"item_all", "SELECT id, name, data, flag FROM item WHERE id = $1"};
constexpr Statement item_guard{"item_guard", "SELECT 1 FROM item WHERE id = $1", "SELECT 1 FROM item WHERE id = $1 FOR SHARE"};
constexpr Statement item_remove{"item_remove", "DELETE FROM item WHERE id = $1"};
constexpr Statement item_once{"item_once", "INSERT INTO item (id) VALUES ($1) ON CONFLICT (id) DO NOTHING"};
constexpr Statement part_insert{"part_insert", "INSERT INTO part (id, item_id) VALUES ($1, $2)"};
constexpr Statement label_insert{"label_insert", "INSERT INTO label (id, item_id) VALUES ($1, $2)"};

Batch one(const Statement& statement, Values parameters, Expect expect = Expect::one) {
    Batch batch;
    batch.add(statement, std::move(parameters), expect);
    return batch;
}

void conflicts(Items& items, Batch batch, Conflict::Kind kind, const Statement& statement) {
    const Written written = items.write(std::move(batch));
    BOOST_REQUIRE(!written.has_value());
    BOOST_TEST((written.error().kind == kind), to_string(written.error()));
    BOOST_TEST(written.error().statement == &statement);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres)

BOOST_AUTO_TEST_CASE(values_come_back_as_they_were_bound) {
    Items items;
    const auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    const core::Bytes octets{0, 1, 0x7f, 0x80, 0xff, 0, '\\', '\''};
    items.write(item_put, values(least, "Grüße \"'\\ $1", octets, true)).value();
    items.write(item_put, values(most, "", core::Bytes(), false)).value();
    items.write(item_put, values(0, nullptr, nullptr, nullptr)).value();
    items.write(item_put, values(7, std::string(100'000, 'x'), core::Bytes(3'000'000, 0xa5), false)).value();
    const auto row = [&](std::int64_t id) { return items.read(item_all, values(id)).at(0); };
    BOOST_TEST((row(least).integer(0) == least && row(most).integer(0) == most));
    BOOST_TEST((row(least).text(1) == "Grüße \"'\\ $1" && row(least).blob(2) == octets && row(least).boolean(3)));
    BOOST_TEST((row(most).text(1).empty() && row(most).blob(2).empty() && !row(most).boolean(3)));
    BOOST_TEST((row(0).null(1) && row(0).null(2) && row(0).null(3)));
    BOOST_TEST((row(7).text(1).size() == 100'000U && row(7).blob(2) == core::Bytes(3'000'000, 0xa5)));
    constexpr Statement narrow{"narrow", "SELECT CAST(-2 AS SMALLINT), -3, count(*), 'x' FROM item"};
    const auto numbers = items.read(narrow).at(0);
    BOOST_TEST((numbers.integer(0) == -2 && numbers.integer(1) == -3 && numbers.integer(2) == 4 && numbers.text(3) == "x"));
}

BOOST_AUTO_TEST_CASE(a_step_that_cannot_be_sent_takes_the_steps_before_it_back) {
    Items items;
    // libpq refuses more than 65535 parameters once the first step is under way; a Sync behind it would commit that one alone. The
    // connection ends at once, and the server may not come so far: so more than once.
    for (int i = 0; i < 10; ++i) {
        Batch batch = one(item_insert, values(1, "first"));
        batch.add(item_insert, Values(70'000, Value(std::int64_t{1})));
        BOOST_CHECK_THROW(items.write(std::move(batch)), StoreUnavailable);
        BOOST_TEST(items.count() == 0);
    }
    BOOST_TEST(items.write(item_insert, values(2, "next")).has_value());
    BOOST_TEST(items.count() == 1);
}

BOOST_AUTO_TEST_CASE(what_the_program_got_wrong_is_named_and_changes_nothing) {
    using E = std::logic_error;
    Items items;
    Batch zero;
    zero.add(item_insert, values(1, "a")).add(item_insert, values(2, std::string("a\0b", 3)));
    BOOST_CHECK_EXCEPTION(items.write(std::move(zero)), E, says<E>("item_insert: parameter $2 is text with an octet that is zero"));
    constexpr Statement zero_version{"zero_version", "UPDATE item SET version = 0 WHERE id = $1"};
    constexpr Statement no_version{"no_version", "UPDATE item SET version = NULL WHERE id = $1"};
    constexpr Statement nowhere{"nowhere", "UPDATE nowhere SET version = 1"};
    constexpr Statement fraction{"fraction", "SELECT 1.5"};
    constexpr Statement missing{"missing", "SELECT nothing FROM item"};
    items.write(item_insert, values(5, "five")).value();
    for (const Statement* s : {&zero_version, &no_version}) {
        BOOST_CHECK_EXCEPTION(items.write(one(*s, values(5))), E, says<E>(std::string("store: ") + std::string(s->name) + ": "));
    }
    // Twice: what cannot be prepared is told each time.
    for (int i = 0; i < 2; ++i) {
        Batch batch = one(item_insert, values(6, "six"));
        batch.add(nowhere, {}, Expect::any);
        BOOST_CHECK_EXCEPTION(items.write(std::move(batch)), E, says<E>("store: nowhere: relation \"nowhere\" does not exist (42P01)"));
        BOOST_CHECK_EXCEPTION(items.read(missing), E, says<E>("store: missing: column \"nothing\" does not exist (42703)"));
    }
    BOOST_CHECK_EXCEPTION(items.read(fraction), E, says<E>("fraction: column 0 has the type with oid 1700"));
    BOOST_CHECK_EXCEPTION(items.read(item_all, values(1, 2)), E, says<E>("store: item_all: "));
    BOOST_CHECK_EXCEPTION(items.read(item_insert, values(9, "nine")), E, says<E>("item_insert writes; it belongs into a batch"));
    BOOST_TEST(items.count() == 1);
    BOOST_TEST(items.db().trouble().empty());
    // What was refused by the server came with rows of others on the same connections.
    BOOST_TEST(items.metric("postern_store_connections_lost_total") == 0);
}

BOOST_AUTO_TEST_CASE(conflicts_name_the_statement_and_leave_nothing) {
    using Kind = Conflict::Kind;
    Items items;
    items.write(item_insert, values(1, "taken")).value();
    const auto after_insert = [](const Statement& s, Values v, Expect e = Expect::one) {
        Batch batch = one(item_insert, values(50, nullptr));
        batch.add(s, std::move(v), e).add(item_insert, values(51, nullptr));
        return batch;
    };
    conflicts(items, after_insert(item_claim, values(1, 9)), Kind::expectation, item_claim);
    conflicts(items, after_insert(item_guard, values(9)), Kind::expectation, item_guard);
    conflicts(items, after_insert(item_remove, values(9)), Kind::expectation, item_remove);
    conflicts(items, after_insert(item_once, values(1)), Kind::expectation, item_once);
    conflicts(items, after_insert(item_insert, values(2, "taken")), Kind::duplicate, item_insert);
    conflicts(items, after_insert(item_once, values(50), Expect::one), Kind::expectation, item_once);
    conflicts(items, after_insert(label_insert, values(1, 9)), Kind::referenced, label_insert);
    // Only the commit finds a deferred one; it is told of the last statement, as SQLite does.
    conflicts(items, after_insert(part_insert, values(1, 9)), Kind::referenced, item_insert);
    BOOST_TEST(items.count() == 1);
    items.write(after_insert(item_once, values(1), Expect::any)).value();
    items.write(one(item_guard, values(1))).value();
    BOOST_TEST(items.count() == 3);
    items.write(one(label_insert, values(1, 1))).value();
    conflicts(items, one(item_remove, values(1)), Kind::referenced, item_remove);
    BOOST_TEST(items.metric("postern_store_batches_total{result=\"conflict\"}") == 9);
}

BOOST_AUTO_TEST_CASE(one_of_64_wins_a_guarded_row) {
    Items items;
    items.write(item_insert, values(1, "prize")).value();
    Calls calls(items.db());
    for (int i = 0; i < 64; ++i) calls.write(item_claim, values(1, 1));
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(calls.lost == 63);
    BOOST_TEST(items.version(1) == 2);
}

BOOST_AUTO_TEST_CASE(a_guard_holds_what_it_saw_until_the_commit) {
    Items items;
    items.write(item_insert, values(1, "guarded")).value();
    test::Session other(items.schema().url());
    other.run("BEGIN; UPDATE item SET version = 7 WHERE id = 1");
    Calls calls(items.db());
    constexpr Statement at_version{"at_version", "SELECT 1 FROM item WHERE id = $1 AND version = $2",
                                   "SELECT 1 FROM item WHERE id = $1 AND version = $2 FOR SHARE"};
    Batch batch = one(at_version, values(1, 1));
    batch.add(item_insert, values(2, "child"));
    calls.write(std::move(batch));
    eventually([&] { return items.blocked() == 1; }, "the guard waits for the other's row");
    other.run("COMMIT");
    calls.wait();
    BOOST_TEST(calls.lost == 1);  // it judges the row as the other left it
    BOOST_TEST(items.count() == 1);
}

BOOST_AUTO_TEST_CASE(callers_wait_a_bounded_time_and_then_no_longer) {
    Items items([](PostgresSettings& s) {
        s.connections = 2;
        s.queue = 3;
        s.wait = std::chrono::milliseconds(100);
    });
    items.write(item_insert, values(1, "held")).value();
    test::Session holder(items.schema().url());
    holder.run("BEGIN; UPDATE item SET flag = TRUE WHERE id = 1");
    Calls calls(items.db());
    // One works, one is behind it on the connection that writes, five wait, and the rest is refused at once.
    for (int i = 0; i < 12; ++i) calls.write(item_raise, values(1));
    eventually([&] { return calls.failed == 10; }, "those that wait give up");
    const auto said = calls.said();
    BOOST_TEST(said.at("store: 7 calls are waiting for the database") == 5);
    BOOST_TEST(said.at("store: all connections to the database are busy") == 5);
    // Reads do not stand behind writes.
    BOOST_TEST(items.count() == 1);
    holder.run("COMMIT");
    calls.wait();
    BOOST_TEST(calls.won == 2);
    BOOST_TEST(items.version(1) == 3);
    BOOST_TEST(items.db().trouble().empty());
    BOOST_TEST(items.metric("postern_store_queue") == 0);
}

BOOST_AUTO_TEST_CASE(statement_that_takes_too_long_is_undone) {
    Items items([](PostgresSettings& s) { s.statement_timeout = std::chrono::milliseconds(200); });
    items.write(item_insert, values(1, "held")).value();
    test::Session holder(items.schema().url());
    holder.run("BEGIN; UPDATE item SET flag = TRUE WHERE id = 1");
    Batch batch = one(item_insert, values(2, "two"));
    batch.add(item_raise, values(1));
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(items.write(std::move(batch)), E, says<E>("store: item_raise: canceling statement due to statement timeout (57014)"));
    holder.run("ROLLBACK");
    BOOST_TEST(items.count() == 1);
    BOOST_TEST(items.version(1) == 1);
    BOOST_TEST(items.db().trouble().empty());
    constexpr Statement sleeper{"sleeper", "SELECT 1 FROM pg_sleep(30) WHERE TRUE"};
    BOOST_CHECK_EXCEPTION(items.read(sleeper), E, says<E>("sleeper: canceling statement due to statement timeout"));
}

BOOST_AUTO_TEST_CASE(deadlock_is_tried_again) {
    Items items;
    items.write(item_insert, values(1, "one")).value();
    items.write(item_insert, values(2, "two")).value();
    test::Session other(items.schema().url());
    // The adapter's session is the one that looks for a deadlock.
    other.run("SET deadlock_timeout = '1h'; BEGIN; UPDATE item SET version = version + 10 WHERE id = 2");
    Batch batch = one(item_raise, values(1));
    batch.add(item_raise, values(2));
    Calls calls(items.db());
    calls.write(std::move(batch));
    eventually([&] { return items.blocked() == 1; }, "the batch waits for the second row");
    other.run("UPDATE item SET version = version + 10 WHERE id = 1; COMMIT");
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(items.metric("postern_store_retries_total") == 1);
    BOOST_TEST(items.version(1) == 12);
    BOOST_TEST(items.version(2) == 12);
}

BOOST_AUTO_TEST_CASE(lost_serialisations_are_tried_again_and_given_up) {
    Items items;
    items.write(item_insert, values(1, "one")).value();
    items.admin().run("CREATE SEQUENCE " + items.table("turn") + "; CREATE FUNCTION " + items.table("lose") +
                      "(times BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$ BEGIN IF nextval('turn') % 100 <= times THEN "
                      "RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF; RETURN 1; END $$");
    constexpr Statement lose{"lose", "SELECT lose(CAST($1 AS BIGINT))"};
    Batch batch = one(item_raise, values(1));
    batch.add(lose, values(3));
    items.write(std::move(batch)).value();
    BOOST_TEST(items.version(1) == 2);
    BOOST_TEST(items.metric("postern_store_retries_total") == 3);
    items.admin().run("SELECT setval('" + items.table("turn") + "', 100)");
    batch = one(item_raise, values(1));
    batch.add(lose, values(99));
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(items.write(std::move(batch)), E, says<E>("store: lose: lost (40001); given up after 4 tries"));
    BOOST_TEST(items.version(1) == 2);
}

BOOST_AUTO_TEST_CASE(cancelled_caller_leaves_its_write_alone) {
    Items items;
    items.write(item_insert, values(1, "held")).value();
    test::Session holder(items.schema().url());
    holder.run("BEGIN; UPDATE item SET flag = TRUE WHERE id = 1");
    asio::io_context context(1);
    asio::cancellation_signal cancel;
    asio::co_spawn(context, items.db().write(one(item_raise, values(1))),
                   asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr, Written) {}));
    context.poll();
    cancel.emit(asio::cancellation_type::terminal);
    context.poll();
    eventually([&] { return items.blocked() == 1; }, "the write is under way");
    holder.run("COMMIT");
    context.run();
    BOOST_TEST(items.version(1) == 2);
}

BOOST_AUTO_TEST_CASE(closing_ends_what_was_taken_and_takes_no_more) {
    Items items;
    Calls calls(items.db());
    for (int i = 0; i < 200; ++i) calls.write(item_insert, values(i, nullptr));
    eventually([&] { return calls.won > 0; }, "the first are written");
    items.db().close();
    calls.wait();
    BOOST_TEST(calls.won == 200);
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(items.write(item_insert, values(999, nullptr)), E, says<E>("store: closed"));
    BOOST_CHECK_EXCEPTION(items.count(), E, says<E>("store: closed"));
    items.db().close();
    BOOST_TEST(items.admin().value("SELECT count(*) FROM " + items.table("item")) == "200");
}

BOOST_AUTO_TEST_CASE(marks_of_answered_batches_are_forgotten) {
    Items items([](PostgresSettings& s) { s.connections = 2; });
    for (int i = 0; i < 600; ++i) items.write(item_insert, values(i, nullptr)).value();
    const auto marks = std::stol(items.admin().value("SELECT count(*) FROM " + items.table("write_mark")));
    BOOST_TEST(marks < 300);
    BOOST_TEST(items.metric("postern_store_commits_total") == 600);
}

BOOST_AUTO_TEST_CASE(sessions_are_ours_by_name_whatever_the_url_and_the_environment_say) {
    constexpr Statement name{"name", "SELECT current_setting('application_name')"};
    const auto named = [&](const std::string& options) {
        test::Schema schema;
        core::SystemClock clock;
        observe::Metrics metrics;
        const auto url = test::with_options(test::postgres_cluster(), "options=-csearch_path%3D" + schema.name() + options);
        const auto db = open_postgres(test::postgres_settings(url), clock, metrics, test::postgres_items);
        const auto out = core::run_to_end(db->read(name, {})).at(0).text(0);
        BOOST_TEST((open_postgres_bulk(test::postgres_settings(url), false)->other_clients() > 0));
        db->close();
        return out;
    };
    ::setenv("PGAPPNAME", "theirs", 1);
    const auto environment = named("");
    ::unsetenv("PGAPPNAME");
    BOOST_TEST(environment == "postern");
    BOOST_TEST(named("&application_name=theirs") == "postern: theirs");
    BOOST_TEST(named("%20-capplication_name%3Dtheirs") == "postern");
}

BOOST_AUTO_TEST_CASE(commits_are_on_the_disk_whatever_the_url_says) {
    constexpr Statement setting{"setting", "SELECT current_setting('synchronous_commit'), current_setting('default_transaction_isolation')"};
    test::Schema schema;
    auto settings = test::postgres_settings(schema.url() + "%20-csynchronous_commit%3Doff%20-cdefault_transaction_isolation%3Dserializable");
    core::SystemClock clock;
    observe::Metrics metrics;
    const auto db = open_postgres(settings, clock, metrics, test::postgres_items);
    const auto row = core::run_to_end(db->read(setting, {})).at(0);
    BOOST_TEST(row.text(0) == "on");
    BOOST_TEST(row.text(1) == "read committed");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
