#include "tests/support/relay.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

using test::Calls;
using test::eventually;
using test::item_insert;
using test::item_raise;
using test::Items;
using test::Relay;
using test::says;

namespace {

/// The cluster's Unix socket.
std::string socket_path() {
    test::Session session;
    return session.value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1) || '/.s.PGSQL.' || current_setting('port')");
}

/// Items behind a relay, with one connection that writes. The deadlines are for cases that run into them: short,
/// but longer than a machine under load takes for anything that succeeds.
/// PostgreSQL's Sync (Message Formats in its manual): what lacks it is not carried out, whenever it is delivered.
constexpr std::string_view end_of_batch("S\0\0\0\4", 5);

struct Cut {
    Relay relay{socket_path()};
    Items items{[this](PostgresSettings& s) {
        // The last of equal options counts.
        s.url = test::with_options(s.url, "host=127.0.0.1&port=" + std::to_string(relay.port()) + "&sslmode=disable&gssencmode=disable");
        s.connections = 2;
        s.connect_deadline = std::chrono::seconds(4);
        s.statement_timeout = std::chrono::seconds(3);
        s.wait = std::chrono::seconds(2);
    }};
    Cut() { items.write(item_insert, values(1, "one")).value(); }

    /// Past the relay.
    std::string version() { return items.admin().value("SELECT version FROM " + items.table("item") + " WHERE id = 1"); }
    double settled(const std::string& result) { return items.metric("postern_store_settled_total{result=\"" + result + "\"}"); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres_outage)

BOOST_AUTO_TEST_CASE(lost_sessions_are_replaced_before_anybody_notices) {
    Items items;
    items.write(item_insert, values(1, "one")).value();
    for (int round = 1; round <= 3; ++round) {
        items.schema().terminate();
        items.write(item_raise, values(1)).value();
        BOOST_TEST(items.version(1) == 1 + round);
        eventually([&] { return items.metric("postern_store_connections") == 4; }, "all connections are back");
    }
    BOOST_TEST(items.db().trouble().empty());
    BOOST_TEST(items.notices.count("store_connection_lost") >= 1U);
    eventually([&] { return items.notices.count("store_connected") >= 1U; }, "it is told that they are back");
}

BOOST_AUTO_TEST_CASE(session_killed_inside_a_batch_has_it_done_once) {
    Items items;
    items.write(item_insert, values(1, "one")).value();
    items.write(item_insert, values(2, "two")).value();
    test::Session holder(items.schema().url());
    holder.run("BEGIN; UPDATE item SET flag = TRUE WHERE id = 2");
    Calls calls(items.db());
    Batch batch;
    batch.add(item_raise, values(1)).add(item_raise, values(2));
    calls.write(std::move(batch));
    eventually([&] { return items.blocked() == 1; }, "the batch is in its second step");
    items.admin().run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'postern: " +
                      items.schema().name() + "'");
    eventually([&] { return items.blocked() == 1; }, "it is tried again");
    holder.run("COMMIT");
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(items.version(1) == 2);
    BOOST_TEST(items.version(2) == 2);
    BOOST_TEST(items.metric("postern_store_settled_total{result=\"not_committed\"}") == 1);
}

BOOST_AUTO_TEST_CASE(lost_answer_of_a_commit_is_found_out) {
    Cut cut;
    Calls calls(cut.items.db());
    cut.relay.hold(Relay::Hold::answers);
    calls.write(item_raise, values(1));
    eventually([&] { return cut.version() == "2"; }, "the server commits");
    cut.relay.hold(Relay::Hold::nothing);
    cut.relay.cut();
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(cut.version() == "2");
    BOOST_TEST(cut.settled("committed") == 1);
    BOOST_TEST(cut.settled("not_committed") == 0);
}

BOOST_AUTO_TEST_CASE(lost_request_is_sent_again_and_never_counts_late) {
    Cut cut;
    Calls calls(cut.items.db());
    cut.relay.hold(Relay::Hold::requests);
    calls.write(item_raise, values(1));
    eventually([&] { return cut.relay.holds_to(end_of_batch); }, "the batch is on its way");
    cut.relay.hold(Relay::Hold::nothing);
    cut.relay.cut();
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(cut.settled("not_committed") == 1);
    BOOST_TEST(cut.version() == "2");
    // The network delivers it after all.
    cut.relay.deliver();
    eventually([&] { return cut.relay.late().find("23505") != std::string::npos; }, "the late batch is refused by its mark");
    BOOST_TEST(cut.version() == "2");
}

BOOST_AUTO_TEST_CASE(question_that_lost_its_own_answer_is_not_taken_for_the_batch) {
    Cut cut;
    Calls calls(cut.items.db());
    const auto marks = cut.items.table("write_mark");
    const auto questions = [&] { return cut.items.admin().value("SELECT count(*) FROM " + marks + " WHERE made > now() + interval '1 year'"); };
    const auto writer = [&] { return cut.items.admin().value("SELECT max(xmin::text::bigint) FROM " + marks + " WHERE made > now() + interval '1 year'"); };
    test::Session holder;
    cut.relay.hold(Relay::Hold::requests);
    calls.write(item_raise, values(1));
    eventually([&] { return cut.relay.holds_to(end_of_batch); }, "the batch is on its way");
    std::string before = writer();
    for (int time = 1; time <= 2; ++time) {
        holder.run("BEGIN; LOCK TABLE " + marks + " IN SHARE ROW EXCLUSIVE MODE");
        cut.relay.hold(Relay::Hold::nothing);
        cut.relay.cut();
        eventually([&] { return cut.items.blocked() == 1; }, "the outcome is asked for");
        cut.relay.hold(Relay::Hold::answers);
        holder.run("COMMIT");
        eventually([&] { return writer() != before; }, "the question is committed, its answer held");
        before = writer();
    }
    BOOST_TEST(questions() == "1");
    cut.relay.hold(Relay::Hold::nothing);
    cut.relay.cut();
    calls.wait();
    BOOST_TEST(calls.won == 1);
    BOOST_TEST(cut.settled("committed") == 0);
    BOOST_TEST(cut.settled("not_committed") == 1);
    BOOST_TEST(cut.version() == "2");
    cut.relay.deliver();
    eventually([&] { return cut.relay.late().find("23505") != std::string::npos; }, "the late batch is refused by the question's row");
    BOOST_TEST(cut.version() == "2");
}

BOOST_AUTO_TEST_CASE(outcome_that_nobody_can_tell_is_said_to_be_unknown) {
    Cut cut;
    Calls calls(cut.items.db());
    cut.relay.hold(Relay::Hold::answers);
    calls.write(item_raise, values(1));
    eventually([&] { return cut.version() == "2"; }, "the server commits");
    cut.relay.refuse(true);
    cut.relay.cut();
    calls.wait();
    BOOST_TEST(calls.failed == 1);
    BOOST_TEST(calls.said().begin()->first.find("whether the batch was committed is unknown") != std::string::npos);
    BOOST_TEST(cut.settled("unknown") == 1);
    // While it is away, callers hear so in time, and the readiness knows why.
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(cut.items.count(), E, says<E>("store: no connection to the database: store: "));
    BOOST_TEST(!cut.items.db().trouble().empty());
    BOOST_TEST(cut.items.metric("postern_store_writable") == 0);
    cut.relay.hold(Relay::Hold::nothing);
    cut.relay.refuse(false);
    eventually([&] { return cut.items.db().trouble().empty(); }, "it comes back by itself");
    BOOST_TEST(cut.items.version(1) == 2);
    BOOST_TEST(cut.items.metric("postern_store_writable") == 1);
}

BOOST_AUTO_TEST_CASE(silent_database_is_left_in_time) {
    Cut cut;
    Calls calls(cut.items.db());
    cut.relay.hold(Relay::Hold::requests);
    calls.write(item_raise, values(1));
    calls.read(test::item_version, values(1));
    calls.wait();
    BOOST_TEST(calls.failed == 2);
    BOOST_TEST(!cut.items.db().trouble().empty());
    cut.relay.hold(Relay::Hold::nothing);
    eventually([&] { return cut.items.db().trouble().empty(); }, "it answers again");
    cut.items.write(item_raise, values(1)).value();
}

BOOST_AUTO_TEST_CASE(closing_does_not_wait_for_a_database_that_is_away) {
    Cut cut;
    cut.relay.refuse(true);
    cut.relay.cut();
    Calls calls(cut.items.db());
    calls.write(item_raise, values(1));
    cut.items.db().close();
    calls.wait();
    BOOST_TEST(calls.failed == 1);
}

BOOST_AUTO_TEST_CASE(session_that_may_write_no_more_is_left) {
    constexpr Statement turn{"turn", "SELECT set_config('default_transaction_read_only', 'on', FALSE)"};
    constexpr Statement mine{"mine", "SELECT pg_backend_pid()"};
    Items items([](PostgresSettings& s) { s.connections = 2; });
    eventually([&] { return items.metric("postern_store_connections") == 2; }, "both are up");
    // The statement turns the session it is run in; its own answer is taken for old, and asked for elsewhere.
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(items.read(turn), E, says<E>("the session became one that may not write"));
    items.write(item_insert, values(1, "one")).value();
    BOOST_TEST(items.read(mine).size() == 1U);
    BOOST_TEST(items.metric("postern_store_connections_lost_total") == 4);
}

BOOST_AUTO_TEST_CASE(write_to_a_read_only_transaction_finds_another_session) {
    Items items([](PostgresSettings& s) { s.connections = 2; });
    items.write(item_insert, values(1, "one")).value();
    // As a server does that is about to hand over: once, for the session that asks first.
    items.admin().run("CREATE SEQUENCE " + items.table("turn") + "; CREATE FUNCTION " + items.table("handed_over") +
                      "() RETURNS BIGINT LANGUAGE plpgsql AS $$ BEGIN IF nextval('turn') = 1 THEN "
                      "RAISE EXCEPTION 'cannot execute UPDATE in a read-only transaction' USING ERRCODE = '25006'; END IF; RETURN 1; END $$");
    constexpr Statement over{"over", "SELECT handed_over()"};
    Batch batch;
    batch.add(item_raise, values(1)).add(over, {});
    items.write(std::move(batch)).value();
    BOOST_TEST(items.version(1) == 2);
    BOOST_TEST(items.metric("postern_store_connections_lost_total") == 1);
}

BOOST_AUTO_TEST_CASE(full_disk_is_trouble_until_a_write_succeeds) {
    Items items;
    items.write(item_insert, values(1, "one")).value();
    items.admin().run("CREATE SEQUENCE " + items.table("turn") + "; CREATE FUNCTION " + items.table("full_disk") +
                      "() RETURNS BIGINT LANGUAGE plpgsql AS $$ BEGIN IF nextval('turn') = 1 THEN "
                      "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END IF; RETURN 1; END $$");
    constexpr Statement full{"full", "SELECT full_disk()"};
    Batch batch;
    batch.add(item_raise, values(1)).add(full, {});
    using E = core::Unavailable;
    BOOST_CHECK_EXCEPTION(items.write(std::move(batch)), E, says<E>("store: full: could not extend file (53100)"));
    BOOST_TEST(items.db().trouble() == "store: full: could not extend file (53100)");
    BOOST_TEST(items.version(1) == 1);  // a read ends no such trouble
    BOOST_TEST(!items.db().trouble().empty());
    items.write(item_raise, values(1)).value();
    BOOST_TEST(items.db().trouble().empty());
}

BOOST_AUTO_TEST_CASE(database_that_lets_nobody_in_comes_back_without_a_restart) {
    test::Session admin;
    const std::string name = "outage_" + std::to_string(::getpid());
    admin.run("DROP DATABASE IF EXISTS " + name);
    admin.run("CREATE DATABASE " + name);
    {
        auto settings = test::postgres_settings(test::with_options(test::postgres_cluster(), "dbname=" + name));
        settings.wait = std::chrono::milliseconds(200);
        core::SystemClock clock;
        observe::Metrics metrics;
        const auto db = open_postgres(settings, clock, metrics, test::postgres_items);
        Batch first;
        first.add(item_insert, values(1, "one"));
        core::run_to_end(db->write(std::move(first))).value();
        admin.run("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false");
        admin.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" + name + "'");
        eventually([&] { return db->trouble().find("not currently accepting connections") != std::string::npos; }, "the reason is known");
        using E = core::Unavailable;
        BOOST_CHECK_EXCEPTION(core::run_to_end(db->read(test::item_count, {})), E, says<E>("not currently accepting connections"));
        admin.run("ALTER DATABASE " + name + " ALLOW_CONNECTIONS true");
        eventually([&] { return db->trouble().empty(); }, "it is back");
        BOOST_TEST(core::run_to_end(db->read(test::item_count, {})).at(0).integer(0) == 1);
        db->close();
    }
    admin.run("DROP DATABASE " + name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
