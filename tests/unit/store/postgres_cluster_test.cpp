#include <fcntl.h>

#include <fstream>

#include "tests/support/cluster.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

using test::Calls;
using test::Cluster;
using test::eventually;
using test::item_insert;
using test::says;

namespace {

using E = core::Unavailable;

constexpr Statement item_data{"item_data", "INSERT INTO item (id, data) VALUES ($1, $2)"};
constexpr Statement many{"many", "SELECT n, 'some text in each row' FROM generate_series(1, CAST($1 AS BIGINT)) n"};
constexpr Statement item_data_of{"item_data_of", "SELECT data FROM item WHERE id = $1"};

/// A database of a case's own cluster, with the adapter on it.
struct Open {
    explicit Open(const std::string& url) {
        auto settings = test::postgres_settings(url);
        settings.notice = notices.taker();
        settings.wait = std::chrono::seconds(1);
        db = open_postgres(settings, clock, metrics, test::postgres_items);
    }
    void write(std::int64_t id) {
        Batch batch;
        batch.add(item_insert, values(id, nullptr));
        core::run_to_end(db->write(std::move(batch))).value();
    }
    std::int64_t count() { return core::run_to_end(db->read(test::item_count, {})).at(0).integer(0); }
    std::string value(const Statement& s) { return core::run_to_end(db->read(s, {})).at(0).text(0); }

    test::Notices notices;
    core::SystemClock clock;
    observe::Metrics metrics;
    std::unique_ptr<Database> db;
};

/// Over TCP, where a password is asked for.
std::string tcp(const Cluster::Place& at, const std::string& user, const std::string& options) {
    return "postgres://" + user + "@127.0.0.1:" + at.port + "/postgres?" + options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres_cluster)

BOOST_AUTO_TEST_CASE(passwords_certificates_and_promises_of_the_server_are_checked) {
    Cluster cluster;
    test::Session admin(Cluster::url(cluster.primary()));
    admin.run("CREATE ROLE app LOGIN PASSWORD 's3cret'");
    admin.run("GRANT CREATE ON SCHEMA public TO app");
    const std::string trusted = "sslmode=verify-full&sslrootcert=" + cluster.primary().folder + "/root.pem";
    {
        constexpr Statement encrypted{"encrypted", "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"};
        Open open(tcp(cluster.primary(), "app:s3cret", trusted));
        BOOST_TEST(open.value(encrypted) == "TLSv1.3");
        open.write(1);
        BOOST_TEST(open.count() == 1);
        // Answers of all lengths: a TLS record that libpq read a part of does not make the socket readable again.
        for (std::int64_t octets = 1; octets < 200'000; octets += 4093) {
            Batch batch;
            batch.add(item_data, values(octets + 1, core::Bytes(static_cast<std::size_t>(octets), 7)));
            core::run_to_end(open.db->write(std::move(batch))).value();
            const auto rows = core::run_to_end(open.db->read(item_data_of, values(octets + 1)));
            BOOST_REQUIRE(rows.at(0).blob(0).size() == static_cast<std::size_t>(octets));
        }
        for (std::int64_t count = 1; count < 8000; count += 173) {
            const auto rows = core::run_to_end(open.db->read(many, values(count)));
            BOOST_REQUIRE(rows.size() == static_cast<std::size_t>(count));
        }
    }
    const auto without_secret = [](const char* text) {
        return [text](const E& e) { return says<E>(text)(e) && std::string_view(e.what()).find("wr0ng") == std::string_view::npos; };
    };
    BOOST_CHECK_EXCEPTION(Open(tcp(cluster.primary(), "app:wr0ng", trusted)), E, without_secret("password authentication failed for user \"app\""));
    BOOST_CHECK_EXCEPTION(Open(tcp(cluster.primary(), "app", trusted)), E, says<E>("no password supplied"));
    // Another root; a name that is not the certificate's; a server without TLS where it is required.
    const std::string other = test::Folder().file("other.pem");
    BOOST_CHECK_EXCEPTION(Open(tcp(cluster.primary(), "app:s3cret", "sslmode=verify-full&sslrootcert=" + other)), E, says<E>("root certificate file"));
    const std::string misnamed = "postgres://app:s3cret@db.example:" + cluster.primary().port + "/postgres?hostaddr=127.0.0.1&" + trusted;
    BOOST_CHECK_EXCEPTION(Open{misnamed}, E, says<E>("does not match host name \"db.example\""));
    admin.run("ALTER SYSTEM SET ssl = off");
    admin.run("ALTER SYSTEM SET fsync = off");
    admin.run("SELECT pg_reload_conf()");
    eventually([&] { return test::Session(Cluster::url(cluster.primary())).value("SHOW fsync") == "off"; }, "the server has read its settings");
    BOOST_CHECK_EXCEPTION(Open(tcp(cluster.primary(), "app:s3cret", "sslmode=require")), E, says<E>("server does not support SSL"));
    Open unsafe(Cluster::url(cluster.primary()) + "&dbname=template1");
    eventually([&] { return unsafe.notices.count("store_fsync_off") == 1U; }, "fsync=off is told of, once");
}

BOOST_AUTO_TEST_CASE(restarts_and_crashes_lose_nothing_that_was_acknowledged) {
    Cluster cluster;
    Open open(Cluster::url(cluster.primary()));
    Calls calls(*open.db);
    std::int64_t id = 0;
    for (const char* how : {"restart", "crash"}) BOOST_TEST_CONTEXT(how) {
        std::atomic<bool> over{false};
        std::thread writer([&] {
            while (!over) {
                for (int i = 0; i < 50; ++i) calls.write(item_insert, values(++id, nullptr));
                calls.wait();
            }
        });
        const int before = calls.won;
        eventually([&] { return calls.won > before + 50; }, "rows are written");
        cluster.command(how);
        const int after = calls.won;
        eventually([&] { return calls.won > after + 50; }, "it goes on by itself");
        over = true;
        writer.join();
        BOOST_TEST(calls.lost == 0);  // no try met the row of an earlier one
        const auto found = open.count();
        BOOST_TEST(found >= calls.won);
        BOOST_TEST(found <= calls.won + calls.failed);
    }
    BOOST_TEST(open.db->trouble().empty());
}

BOOST_AUTO_TEST_CASE(standby_is_refused_and_followed_once_it_is_the_primary) {
    constexpr Statement port{"port", "SELECT current_setting('port')"};
    Cluster cluster;
    const auto first = cluster.primary();
    {
        Open open(Cluster::url(first));
        open.write(1);
    }
    const auto second = Cluster::place(cluster.command("standby"));
    BOOST_CHECK_EXCEPTION(Open(Cluster::url(second)), E, says<E>("session is read-only"));
    Open open("postgres://postgres@/postgres?host=" + second.folder + "," + first.folder + "&port=" + second.port + "," + first.port);
    BOOST_TEST(open.value(port) == first.port);
    open.write(2);
    cluster.command("fail over");
    eventually([&] {
        try {
            open.write(3);
            return true;
        } catch (const E&) {
            return false;
        }
    }, "writes go to the new primary");
    BOOST_TEST(open.value(port) == second.port);
    BOOST_TEST(open.count() == 3);
    BOOST_TEST(open.db->trouble().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
