#include "store/sqlite/migrate.hpp"

#include <fstream>
#include <sys/stat.h>
#include <thread>

#include "tests/unit/store/migrate_cases.hpp"
#include "tests/unit/store/support.hpp"

namespace postern::store {

using test::says;

namespace {

using test_cases::things;

constexpr Migration first{1, "things", "CREATE TABLE thing (id INTEGER PRIMARY KEY, label TEXT);"};
constexpr Migration second{2, "more", "INSERT INTO thing (id) VALUES (7); CREATE INDEX thing_label ON thing (label);"};
constexpr Migration second_changed{2, "more", "INSERT INTO thing (id) VALUES (8);"};
constexpr Migration second_wrong{2, "wrong", "INSERT INTO thing (id) VALUES (7); INSERT INTO nowhere VALUES (1);"};
constexpr Statement applied{"applied", "SELECT number, name, checksum, applied_ms FROM schema_migration ORDER BY number"};

struct Place {
    test::Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    std::unique_ptr<Database> open(std::vector<Migration> list) {
        return open_sqlite(folder.file(), clock, metrics, list);
    }
};

Rows read(Database& db, const Statement& s) { return core::run_to_end(db.read(s, {})); }

using E = std::runtime_error;

}  // namespace

BOOST_AUTO_TEST_SUITE(store_migrate)

BOOST_AUTO_TEST_CASE(each_is_applied_once) {
    Place place;
    place.open({first});
    place.clock.advance(std::chrono::hours(1));
    place.open({first, second});
    const auto db = place.open({first, second});
    const auto rows = read(*db, applied);
    BOOST_REQUIRE(rows.size() == 2U);
    BOOST_TEST(rows[0].text(1) == "things");
    BOOST_TEST(rows[0].text(2).size() == 64U);
    BOOST_TEST(rows[0].integer(3) == 1'800'000'000'000);
    BOOST_TEST(rows[1].integer(3) == 1'800'003'600'000);
    BOOST_TEST(read(*db, things).size() == 1U);
}

BOOST_AUTO_TEST_CASE(changed_text_is_refused_by_name) {
    Place place;
    place.open({first, second});
    BOOST_CHECK_EXCEPTION(place.open({first, second_changed}), E,
                          says<E>("migration V0002__more.sql differs from what was applied"));
}

BOOST_AUTO_TEST_CASE(newer_schema_is_refused_by_number) {
    Place place;
    place.open({first, second});
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("has schema 2, this Postern knows schemas up to 1"));
}

BOOST_AUTO_TEST_CASE(missing_record_of_a_migration_is_refused) {
    static constexpr Statement forget{"forget", "DELETE FROM schema_migration WHERE number = 1"};
    Place place;
    Batch batch;
    batch.add(forget, {});
    const auto db = place.open({first, second});
    core::run_to_end(db->write(std::move(batch))).value();
    BOOST_CHECK_EXCEPTION(place.open({first, second}), E, says<E>("lacks V0001__things.sql before a later migration"));
}

BOOST_AUTO_TEST_CASE(failing_migration_leaves_the_previous_schema) {
    Place place;
    BOOST_CHECK_EXCEPTION(place.open({first, second_wrong}), E, says<E>("migration V0002__wrong.sql failed"));
    const auto db = place.open({first});
    BOOST_TEST(read(*db, things).empty());
}

BOOST_AUTO_TEST_CASE(migration_that_breaks_a_foreign_key_is_refused) {
    Place place;
    const Migration dangling{2, "dangling",
                             "CREATE TABLE child (thing_id BIGINT REFERENCES thing (id)); INSERT INTO child VALUES (5);"};
    BOOST_CHECK_EXCEPTION(place.open({first, dangling}), E,
                          says<E>("V0002__dangling.sql leaves foreign keys without their rows"));
    place.open({first});
}

BOOST_AUTO_TEST_CASE(gaps_are_refused) {
    Place place;
    BOOST_CHECK_EXCEPTION(place.open({second}), std::logic_error,
                          says<std::logic_error>("not numbered 1, 2, 3 …: V0002__more.sql"));
}

BOOST_AUTO_TEST_CASE(two_openers_at_once_apply_once) {
    for (int round = 0; round < 5; ++round) {
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
        sqlite::Connection other(place.folder.file(), sqlite::Connection::Access::read_write);
        other.script("ALTER TABLE schema_migration DROP COLUMN readable_by", "drop");
    });
}

BOOST_AUTO_TEST_CASE(file_and_its_logs_are_private) {
    const auto old = ::umask(0);
    Place place;
    const auto db = place.open({first});
    ::umask(old);
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat info{};
        BOOST_REQUIRE(::stat((place.folder.file() + suffix).c_str(), &info) == 0);
        BOOST_TEST((info.st_mode & 0777U) == 0600U);
    }
}

BOOST_AUTO_TEST_CASE(files_of_others_are_refused_and_left_alone) {
    Place place;
    std::ofstream(place.folder.file()) << std::string(4096, 'x');
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("is no SQLite database; name another file"));
    std::filesystem::remove(place.folder.file());
    std::ofstream(place.folder.file()).flush();
    {
        sqlite::Connection other(place.folder.file(), sqlite::Connection::Access::read_write);
        other.script("CREATE TABLE theirs (id INTEGER)", "theirs");
    }
    BOOST_CHECK_EXCEPTION(place.open({first}), E, says<E>("is another program's SQLite database"));
    std::ifstream file(place.folder.file(), std::ios::binary);
    std::string header(100, '\0');
    file.read(header.data(), 100);
    BOOST_TEST(header[18] == '\1');  // still a rollback journal, not WAL
}

BOOST_AUTO_TEST_CASE(missing_folder_is_named) {
    Place place;
    BOOST_CHECK_EXCEPTION(open_sqlite(place.folder.file("none/postern.db"), place.clock, place.metrics), E,
                          says<E>("its folder must exist and be writable"));
}

BOOST_AUTO_TEST_CASE(shipped_schema_applies_to_a_new_file) {
    Place place;
    const auto db = open_sqlite(place.folder.file(), place.clock, place.metrics);
    const auto rows = read(*db, applied);
    BOOST_TEST(rows.size() == sqlite_migrations().size());
    BOOST_TEST(rows.at(0).text(1) == sqlite_migrations()[0].name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
