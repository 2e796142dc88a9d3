#include "store/sqlite/backup.hpp"

#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "store/migrations.hpp"
#include "tests/unit/store/support.hpp"

BOOST_AUTO_TEST_SUITE(store_backup)

using namespace postern;
using namespace postern::test;

namespace {

template <class Act>
void throws_with(Act act, std::string_view part) {
    try {
        act();
        BOOST_ERROR("nothing was thrown");
    } catch (const std::runtime_error& e) {
        BOOST_TEST(std::string_view(e.what()).find(part) != std::string_view::npos, e.what());
    }
}

constexpr store::Statement fill{"test_fill", "INSERT INTO item (name, data) VALUES (NULL, zeroblob(100000))"};

}  // namespace

/// Enough pages for several steps; a batch is written between each two.
BOOST_AUTO_TEST_CASE(a_copy_is_one_moment_while_writes_go_on) {
    Store s;
    for (int i = 0; i < 200; ++i) s.write(fill, {}).value();
    const Folder folder;
    const auto copy = folder.file("copy.db");
    std::int64_t told = 0, total = 0;
    int steps = 0;
    store::copy_sqlite(s.path(), copy, [&](std::int64_t done, std::int64_t of) {
        BOOST_TEST(done >= told);
        told = done;
        total = of;
        ++steps;
        s.write(fill, {}).value();
    });
    BOOST_TEST(steps > 3);
    BOOST_TEST((told == total && total > 20'000'000));
    BOOST_TEST(s.count() == 200 + steps);
    struct stat info {};
    BOOST_TEST_REQUIRE(::stat(copy.c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 0777U) == 0600U);
    BOOST_TEST(info.st_size == total);
    BOOST_TEST(!std::filesystem::exists(copy + "-wal"));
    core::FakeClock clock(core::from_ms(0));
    observe::Metrics metrics;
    const auto db = store::open_sqlite(copy, clock, metrics, item_schema);
    BOOST_TEST(core::run_to_end(db->read(item_count, {})).at(0).integer(0) == 200);
    db->close();
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten_and_a_stop_is_obeyed) {
    Store s;
    const Folder folder;
    std::ofstream(folder.file("taken")) << "precious";
    throws_with([&] { store::copy_sqlite(s.path(), folder.file("taken"), [](auto, auto) {}); }, "cannot create");
    throws_with([&] { store::copy_sqlite(s.path(), folder.file("copy"), [](auto, auto) { throw std::runtime_error("stop"); }); }, "stop");
    BOOST_TEST(s.write(fill, {}).has_value());
}

BOOST_AUTO_TEST_CASE(a_copy_is_checked_to_its_last_page) {
    const Folder folder;
    const auto path = folder.file("postern.db");
    core::FakeClock clock(core::from_ms(0));
    observe::Metrics metrics;
    {
        const auto db = store::open_sqlite(path, clock, metrics);
        db->close();
    }
    const auto copy = folder.file("copy.db");
    store::copy_sqlite(path, copy, [](auto, auto) {});
    BOOST_TEST(store::check_sqlite_copy(copy) == store::sqlite_migrations().back().number);
    {
        std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(-4096 * 3 + 100, std::ios::end);
        file << std::string(8000, '\xff');
    }
    throws_with([&] { store::check_sqlite_copy(copy); }, "is damaged");
    Store other;
    const auto foreign = folder.file("foreign.db");
    store::copy_sqlite(other.path(), foreign, [](auto, auto) {});
    throws_with([&] { store::check_sqlite_copy(foreign); }, "differs from what was applied");
}

BOOST_AUTO_TEST_SUITE_END()
