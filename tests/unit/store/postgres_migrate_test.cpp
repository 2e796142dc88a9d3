#include <thread>

#include "tests/unit/store/migrate_cases.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

using test::says;

namespace {

using test_cases::things;

constexpr Migration first{1, "things", "CREATE TABLE thing (id BIGINT PRIMARY KEY, label TEXT);"};
constexpr Migration second{2, "more", "INSERT INTO thing (id) VALUES (7); CREATE INDEX thing_label ON thing (label);"};
constexpr Migration second_changed{2, "more", "INSERT INTO thing (id) VALUES (8);"};
constexpr Migration second_wrong{2, "wrong", "INSERT INTO thing (id) VALUES (7); INSERT INTO nowhere VALUES (1);"};
constexpr Migration second_dangling{2, "dangling",
                                    "CREATE TABLE child (thing_id BIGINT REFERENCES thing (id)); INSERT INTO child VALUES (5);"};
constexpr Migration second_ending{2, "ending", "INSERT INTO thing (id) VALUES (7); COMMIT;"};
constexpr Statement applied{"applied", "SELECT number, name, checksum, applied_ms FROM schema_migration WHERE number > 0 ORDER BY number"};

using E = std::runtime_error;

struct Place {
    test::Schema schema;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    PostgresSettings settings = with_two(schema.url());

    static PostgresSettings with_two(const std::string& url) {
        auto settings = test::postgres_settings(url);
        settings.connections = 2;
        return settings;
    }
    std::unique_ptr<Database> open(std::vector<Migration> list) { return open_postgres(settings, clock, metrics, list); }
};

Rows read(Database& db, const Statement& s) { return core::run_to_end(db.read(s, {})); }

}  // namespace

BOOST_AUTO_TEST_SUITE(store_postgres_migrate)

BOOST_AUTO_TEST_CASE(each_is_applied_once) {
    Place place;
    place.open({first});
    place.clock.advance(std::chrono::hours(1));
    place.open({first, second});
    const auto db = place.open({first, second});
    const auto rows = read(*db, applied);
    BOOST_REQUIRE(rows.size() == 2U);
    BOOST_TEST(rows[0].text(1) == "things");
    BOOST_TEST(rows[0].text(2) == checksum(first));
    BOOST_TEST(rows[0].integer(3) == 1'800'000'000'000);
    BOOST_TEST(rows[1].integer(3) == 1'800'003'600'000);
    BOOST_TEST(read(*db, things).size() == 1U);
}

BOOST_AUTO_TEST_CASE(marks_of_a_day_ago_are_deleted_while_it_runs_and_so_are_the_questions_for_them) {
    Place place;
    const auto db = place.open({first});
    const auto marks = place.schema.name() + ".write_mark";
    const std::string question = "now() + interval '1000 years'";
    place.schema.admin().run("INSERT INTO " + marks + " VALUES (1, 1, now() - interval '2 days'), (1, 2, now() - interval '2 hours'), (1, 3, " +
                             question + " - interval '2 days'), (1, 4, " + question + " - interval '2 hours')");
    const auto left = [&] { return place.schema.admin().value("SELECT string_agg(number::text, ',' ORDER BY number) FROM " + marks + " WHERE session = 1"); };
    // One that is locked is for the next time: nobody's batch waits for it.
    test::Session holder;
    holder.run("BEGIN; SELECT 1 FROM " + marks + " WHERE session = 1 AND number = 3 FOR UPDATE");
    constexpr Statement put{"put", "INSERT INTO thing (id) VALUES ($1)"};
    std::int64_t id = 0;
    const auto write = [&] {
        Batch batch;
        batch.add(put, values(++id));
        BOOST_REQUIRE(core::run_to_end(db->write(std::move(batch))).has_value());
    };
    // Of two connections one writes, and each 256 batches forgets.
    for (int i = 0; i < 300; ++i) write();
    BOOST_TEST(left() == "2,3,4");
    holder.run("COMMIT");
    for (int i = 0; i < 16 * 256; ++i) write();
    BOOST_TEST(left() == "2,4");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    Place place;
    place.open({first, second});
    BOOST_CHECK_EXCEPTION(place.open({first, second_changed}), E, says<E>("migration V0002__more.sql differs from what was applied"));
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("has schema 2, this Postern knows schemas up to 1; install the newer Postern"));
    BOOST_CHECK_EXCEPTION(place.open({second}), std::logic_error, says<std::logic_error>("not numbered 1, 2, 3 …: V0002__more.sql"));
    place.schema.admin().run("DELETE FROM " + place.schema.name() + ".schema_migration WHERE number = 1");
    BOOST_CHECK_EXCEPTION(place.open({first, second}), E, says<E>("lacks V0001__things.sql before a later migration"));
}

BOOST_AUTO_TEST_CASE(failing_migration_leaves_the_previous_schema) {
    Place place;
    BOOST_CHECK_EXCEPTION(place.open({first, second_wrong}), E,
                          says<E>("migration V0002__wrong.sql failed on postgresql://"));
    BOOST_CHECK_EXCEPTION(place.open({first, second_dangling}), E, says<E>("violates foreign key constraint"));
    const auto db = place.open({first});
    BOOST_TEST(read(*db, things).empty());
}

BOOST_AUTO_TEST_CASE(migration_that_ends_its_transaction_is_a_fault_of_ours) {
    Place place;
    BOOST_CHECK_EXCEPTION(place.open({first, second_ending}), std::logic_error,
                          says<std::logic_error>("V0002__ending.sql ends its transaction itself"));
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named_and_can_be_left_to_somebody) {
    Place place;
    const auto all = postgres_migrations();
    place.open({all.begin(), all.begin() + 2});
    const auto missing = missing_postgres_migrations(place.settings);
    BOOST_TEST(missing.size() == all.size() - 2);
    BOOST_TEST(missing.front() == "V0003__acme.sql");
    place.settings.missing = MissingMigrations::refuse;
    BOOST_CHECK_EXCEPTION(place.open({all.begin(), all.begin() + 3}), E, says<E>(" lacks V0003__acme.sql; run `postern migrate` first"));
    const auto db = place.open({all.begin(), all.begin() + 2});
    BOOST_TEST(read(*db, applied).size() == 2U);
    BOOST_TEST(missing_postgres_migrations(place.settings).size() == all.size() - 2);
}

BOOST_AUTO_TEST_CASE(plan_of_an_empty_database_changes_nothing) {
    Place place;
    BOOST_TEST(missing_postgres_migrations(place.settings).size() == postgres_migrations().size());
    BOOST_TEST(place.schema.admin().value("SELECT count(*) FROM pg_tables WHERE schemaname = '" + place.schema.name() + "'") == "0");
    place.settings.missing = MissingMigrations::refuse;
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>(" lacks V0001__things.sql; run `postern migrate` first"));
}

BOOST_AUTO_TEST_CASE(databases_of_others_are_refused_and_left_alone) {
    const char* const foreign[] = {"CREATE TABLE theirs (id BIGINT)", "CREATE VIEW theirs AS SELECT 1",
                                   "CREATE TABLE schema_migration (version TEXT)",
                                   "CREATE TABLE schema_migration (number BIGINT, name TEXT, checksum TEXT)"};
    for (const char* sql : foreign) BOOST_TEST_CONTEXT(sql) {
        Place place;
        place.schema.admin().run("SET search_path = " + place.schema.name() + "; " + sql);
        BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("is another program's database; name another one"));
        BOOST_CHECK_EXCEPTION(missing_postgres_migrations(place.settings), E, says<E>("is another program's database"));
        BOOST_TEST(place.schema.admin().value("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = '" +
                                              place.schema.name() + "' AND relkind IN ('r', 'v')") == "1");
    }
}

BOOST_AUTO_TEST_CASE(missing_rights_are_named) {
    Place place;
    auto& admin = place.schema.admin();
    const std::string role = "guest_" + place.schema.name();
    admin.run("CREATE ROLE " + role + " LOGIN");
    // Through the superuser's session: how the cluster authenticates is not the point.
    const auto as_role = [&](const std::string& more) { return place.schema.url() + "%20-crole%3D" + role + more; };
    place.settings.url = as_role("");
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("no schema of the role's search_path exists, or the role has no USAGE on it"));
    admin.run("GRANT USAGE ON SCHEMA " + place.schema.name() + " TO " + role);
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("permission denied for schema " + place.schema.name() +
                                                          "; the role that Postern connects as needs CREATE on the schema"));
    admin.run("GRANT CREATE ON SCHEMA " + place.schema.name() + " TO " + role);
    place.open({first});
    // Another role than the owner.
    place.settings.url = place.schema.url();
    admin.run("CREATE ROLE other_" + role + "; GRANT USAGE, CREATE ON SCHEMA " + place.schema.name() + " TO other_" + role);
    place.settings.url = place.schema.url() + "%20-crole%3Dother_" + role;
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("belongs to another role than the one Postern connects as"));
    place.schema.terminate();
    admin.run("DROP OWNED BY " + role + ", other_" + role + "; DROP ROLE " + role + ", other_" + role);
}

BOOST_AUTO_TEST_CASE(other_encodings_are_refused) {
    test::Session admin;
    const std::string name = "encoding_" + std::to_string(::getpid());
    admin.run("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    const auto settings = Place::with_two(test::with_options(test::postgres_cluster(), "dbname=" + name));
    BOOST_CHECK_EXCEPTION(missing_postgres_migrations(settings), E, says<E>("has the encoding SQL_ASCII; create it anew"));
    admin.run("DROP DATABASE " + name);
}

BOOST_AUTO_TEST_CASE(two_openers_at_once_apply_once) {
    for (int round = 0; round < 3; ++round) {
        Place place;
        test_cases::open_at_once(place, {first, second});
    }
}

BOOST_AUTO_TEST_CASE(the_version_before_runs_on_a_schema_that_only_grew) {
    Place place;
    test_cases::run_on_a_newer_schema(place, first);
}

BOOST_AUTO_TEST_CASE(a_record_of_an_earlier_version_says_nothing_of_readers) {
    Place place;
    test_cases::go_on_from_a_record_that_says_nothing(place, first, [&] {
        place.schema.admin().run("ALTER TABLE " + place.schema.name() + ".schema_migration DROP COLUMN readable_by");
    });
}

BOOST_AUTO_TEST_CASE(shipped_schemas_have_the_same_numbers_and_names) {
    const auto sqlite = sqlite_migrations();
    const auto postgres = postgres_migrations();
    BOOST_REQUIRE(sqlite.size() == postgres.size());
    for (std::size_t i = 0; i < sqlite.size(); ++i) BOOST_TEST(file_name(sqlite[i]) == file_name(postgres[i]));
}

BOOST_AUTO_TEST_CASE(urls_are_described_and_refused_without_their_secrets) {
    BOOST_TEST(describe_postgres("postgresql://postern:s3cret@db1:5433,db2:5434/pki?sslmode=verify-full&password=other") ==
               "postgresql://postern@db1:5433,db2:5434/pki");
    BOOST_TEST(describe_postgres("host=/run/postgresql dbname=pki password=s3cret") == "postgresql:///run/postgresql/pki");
    const char* const wrong[] = {"postgresql://postern:s3cret@[db/pki", "postgresql://postern:s3cret%zz@db/pki", "host=db password='s3cret",
                                 "postgresql://postern:s3cret@db/pki?nothing=1", "host=db password=a\"s3cret\" x",
                                 "postgresql://postern:a\"s3cret\"b@[db/pki", "postgresql://postern@db/pki?password=a\"s3cret\"%zz", "postgresql://postern:s3cret@db1,db2:1,db3:2/pki?port=1,2"};
    for (const char* url : wrong) BOOST_TEST_CONTEXT(url) {
        BOOST_CHECK_EXCEPTION(describe_postgres(url), E, [](const E& e) {
            const std::string what = e.what();
            return what.starts_with("the store's URL ") && what.find("s3cret") == std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_CASE(too_few_connections_are_refused) {
    Place place;
    place.settings.connections = 1;
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("2 connections at least"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
