#include "store/sqlite/connection.hpp"
#include "tests/unit/store/support.hpp"

namespace postern::store {

BOOST_AUTO_TEST_SUITE(store_fault)

BOOST_AUTO_TEST_CASE(only_a_failed_sync_leaves_the_file_uncertain) {
    const auto lost = [](int code) { return sqlite::Fault("", code).lost_write(); };
    BOOST_TEST(lost(SQLITE_IOERR_FSYNC));
    BOOST_TEST(lost(SQLITE_IOERR_DIR_FSYNC));
    // No space, over quota, the log's index that found no room: the commit is rolled back.
    for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_READ, SQLITE_CANTOPEN, SQLITE_BUSY})
        BOOST_TEST(!lost(code));
}

BOOST_AUTO_TEST_CASE(a_failed_commit_is_trouble_until_one_succeeds) {
    test::Store s;
    BOOST_TEST(s.db().trouble().empty());
    BOOST_TEST(s.write(test::item_insert, values(1, nullptr)).has_value());
    BOOST_TEST(!s.write(test::item_insert, values(1, nullptr)).has_value());  // a conflict is none
    BOOST_TEST(s.db().trouble().empty());
    {
        // Another writer that holds the lock for longer than the writer waits.
        sqlite::Connection other(s.path(), sqlite::Connection::Access::read_write);
        other.script("BEGIN IMMEDIATE", "lock");
        BOOST_CHECK_THROW(s.write(test::item_insert, values(2, nullptr)), StoreUnavailable);
        BOOST_TEST(s.db().trouble().find("locked") != std::string::npos);
        BOOST_TEST(s.metrics().scrape().find("postern_store_writable 0") != std::string::npos);
    }
    BOOST_TEST(s.write(test::item_insert, values(2, nullptr)).has_value());
    BOOST_TEST(s.db().trouble().empty());
    BOOST_TEST(s.metrics().scrape().find("postern_store_writable 1") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
