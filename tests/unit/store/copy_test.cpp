#include "store/copy.hpp"

#include "store/postgres/bulk.hpp"
#include "store/postgres/copy_format.hpp"
#include "store/sqlite/bulk.hpp"
#include "tests/unit/store/postgres_support.hpp"

namespace postern::store {

using test::says;

namespace {

using E = std::runtime_error;
constexpr Statement tenant{"tenant", "INSERT INTO tenant (id, tenant_id, name, status, version, body, created_ms, updated_ms, updated_by) "
                                     "VALUES ($1, $1, $2, 'active', 1, $3, 0, 0, '')"};
constexpr Statement audit{"audit", "INSERT INTO audit (id, at_ms, tenant_id, request_id, actor_kind, actor, action, object_kind, object_id, outcome, "
                                   "check_name, detail, seal) VALUES ($1, $2, $3, '', '', '', '', '', '', 'done', '', $4, $5)"};
constexpr Statement root{"root", "INSERT INTO authority (key_id, kind, issuer_id, certificate, crl_number, created_ms) VALUES ('r', 'root', 'r', $1, 7, 0)"};
constexpr Statement setting{"setting", "INSERT INTO setting (name, value) VALUES ($1, $2)"};
constexpr Statement names{"names", "SELECT name FROM setting ORDER BY name"};
constexpr Statement details{"details", "SELECT at_ms, tenant_id, detail, seal FROM audit ORDER BY id"};
constexpr Statement bend{"bend", "UPDATE audit SET at_ms = 'soon' WHERE id = 1"};

void write(Database& db, const Statement& s, Values v) {
    Batch batch;
    batch.add(s, std::move(v));
    core::run_to_end(db.write(std::move(batch))).value();
}

/// What every kind of value may be, and more rows than one batch of the copy.
void fill(Database& db) {
    write(db, tenant, values(1, "späte Wörter \"€\" ' \\ \t\n", ""));
    write(db, root, values(core::Bytes(3'000'000, 0xa5)));
    write(db, setting, values("public.https", "https://ca.test"));
    write(db, audit, values(1, std::int64_t{-1}, nullptr, "{}", nullptr));
    write(db, audit, values(2, INT64_MAX, 1, "\x01", core::Bytes()));
    write(db, audit, values(3, INT64_MIN, 1, "{}", core::Bytes{0, 255, 0}));
    Batch many;
    for (int i = 4; i < 9'004; ++i) many.add(audit, values(i, i, 1, "{\"n\":" + std::to_string(i) + "}", core::Bytes(static_cast<std::size_t>(i % 50), 1)));
    core::run_to_end(db.write(std::move(many))).value();
}

struct Place {
    test::Folder folder;
    core::FakeClock clock{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics;
    test::Schema schema;
    PostgresSettings settings = with_two(schema.url());

    static PostgresSettings with_two(const std::string& url) {
        auto out = test::postgres_settings(url);
        out.connections = 2;
        return out;
    }
    std::unique_ptr<Database> sqlite(const char* name) { return open_sqlite(folder.file(name), clock, metrics); }
    std::unique_ptr<Bulk> sqlite_bulk(const char* name, bool writes = false) { return open_sqlite_bulk(folder.file(name), writes); }
    std::unique_ptr<Database> postgres() { return open_postgres(settings, clock, metrics); }
    std::unique_ptr<Bulk> postgres_bulk(bool writes = false) { return open_postgres_bulk(settings, writes); }
};

const CopyWatcher nobody = [](const CopyStep&) {};

const CopiedTable& table(const std::vector<CopiedTable>& all, std::string_view name) {
    return *std::find_if(all.begin(), all.end(), [&](const CopiedTable& t) { return t.name == name; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_copy)

BOOST_AUTO_TEST_CASE(every_kind_of_value_goes_there_and_back) {
    Place place;
    fill(*place.sqlite("a.db"));
    place.postgres()->close();
    const auto there = copy_tables(*place.sqlite_bulk("a.db"), *place.postgres_bulk(true), nobody);
    BOOST_TEST(table(there, "audit").rows == 9'003);
    BOOST_TEST(table(there, "authority").rows == 1);
    BOOST_TEST(table(there, "lease").rows == 0);
    place.sqlite("b.db")->close();
    const auto back = copy_tables(*place.postgres_bulk(), *place.sqlite_bulk("b.db", true), nobody);
    BOOST_REQUIRE(back.size() == there.size());
    for (const auto& t : there) BOOST_TEST(table(back, t.name).digest == t.digest, t.name);
    const auto a = core::run_to_end(place.sqlite("a.db")->read(details, {})), b = core::run_to_end(place.sqlite("b.db")->read(details, {})),
               p = core::run_to_end(place.postgres()->read(details, {}));
    BOOST_REQUIRE((a.size() == b.size() && a.size() == p.size()));
    bool same = true;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t c = 0; c < 4; ++c) same = same && a[i].value(c) == b[i].value(c) && a[i].value(c) == p[i].value(c);
    BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(a_watcher_hears_of_every_table_twice) {
    Place place;
    fill(*place.sqlite("a.db"));
    place.sqlite("b.db")->close();
    std::int64_t written = 0, read_back = 0;
    copy_tables(*place.sqlite_bulk("a.db"), *place.sqlite_bulk("b.db", true), [&](const CopyStep& step) {
        BOOST_TEST(step.done <= step.total);
        if (step.table == "audit") (step.phase == CopyStep::Phase::writing ? written : read_back) = step.done;
    });
    BOOST_TEST(written == 9'003);
    BOOST_TEST(read_back == 9'003);
}

BOOST_AUTO_TEST_CASE(marks_stay_where_they_are_and_all_else_gives_way) {
    Place place;
    const auto check = [&](Database& source, Database& target, const std::function<void()>& copy) {
        write(source, setting, values("copy.moved", "elsewhere"));
        write(target, setting, values("copy.unfinished", "from here"));
        write(target, setting, values("stale", "of an earlier copy"));
        write(target, tenant, values(9, "stale", ""));
        source.close();
        target.close();
        copy();
    };
    check(*place.sqlite("a.db"), *place.postgres(), [&] { copy_tables(*place.sqlite_bulk("a.db"), *place.postgres_bulk(true), nobody); });
    auto rows = core::run_to_end(place.postgres()->read(names, {}));
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].text(0) == "copy.unfinished");
    check(*place.sqlite("c.db"), *place.sqlite("b.db"), [&] { copy_tables(*place.sqlite_bulk("c.db"), *place.sqlite_bulk("b.db", true), nobody); });
    rows = core::run_to_end(place.sqlite("b.db")->read(names, {}));
    BOOST_REQUIRE(rows.size() == 1U);
    BOOST_TEST(rows[0].text(0) == "copy.unfinished");
}

BOOST_AUTO_TEST_CASE(what_one_engine_alone_knows_is_no_part_of_it) {
    Place place;
    place.sqlite("a.db")->close();
    place.postgres()->close();
    const auto a = place.sqlite_bulk("a.db")->tables(), p = place.postgres_bulk()->tables();
    BOOST_REQUIRE(a.size() == p.size());
    for (const auto& t : a) BOOST_TEST((t.name != "schema_migration" && t.name != "write_mark" && !t.name.starts_with("nonce_")));
    BOOST_CHECK_NO_THROW(require_equal_tables(a, p));
}

BOOST_AUTO_TEST_CASE(tables_that_differ_are_named) {
    const BulkTable one("one", {BulkColumn("id", BulkColumn::Kind::integer)}), two("two", {});
    const BulkTable other("one", {BulkColumn("id", BulkColumn::Kind::text)});
    BOOST_CHECK_EXCEPTION(require_equal_tables({one, two}, {one}), E, says<E>("only the source has a table two"));
    BOOST_CHECK_EXCEPTION(require_equal_tables({one}, {one, two}), E, says<E>("only the target has a table two"));
    BOOST_CHECK_EXCEPTION(require_equal_tables({one}, {other}), E, says<E>("table one has other columns in the target: id text; in the source: id integer"));
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_of_its_columns_kind_is_told) {
    Place place;
    {
        const auto db = place.sqlite("a.db");
        write(*db, audit, values(1, 1, nullptr, "{}", nullptr));
        write(*db, bend, {});
    }
    place.sqlite("b.db")->close();
    BOOST_CHECK_EXCEPTION(copy_tables(*place.sqlite_bulk("a.db"), *place.sqlite_bulk("b.db", true), nobody), E,
                          says<E>("table audit holds a value that is no integer in column at_ms"));
}

BOOST_AUTO_TEST_CASE(what_postgres_cannot_hold_is_told) {
    Place place;
    {
        const auto db = place.sqlite("a.db");
        write(*db, tenant, values(1, std::string("a\0b", 3), ""));
    }
    place.postgres()->close();
    BOOST_CHECK_EXCEPTION(copy_tables(*place.sqlite_bulk("a.db"), *place.postgres_bulk(true), nobody), E, says<E>("writing table tenant"));
}

BOOST_AUTO_TEST_CASE(rows_referred_to_come_first) {
    const auto order = referred_first({{"a", {"b", "a"}}, {"b", {"c"}}, {"c", {}}});
    BOOST_TEST(order == (std::vector<std::string>{"c", "b", "a"}), boost::test_tools::per_element());
    BOOST_CHECK_THROW(referred_first({{"a", {"b"}}, {"b", {"a"}}}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(copy_form_is_read_strictly) {
    const BulkTable t("thing", {BulkColumn("id", BulkColumn::Kind::integer), BulkColumn("on", BulkColumn::Kind::boolean),
                                BulkColumn("name", BulkColumn::Kind::text), BulkColumn("data", BulkColumn::Kind::blob)});
    postgres::CopyWriter writer;
    const auto row = values(std::int64_t{-5}, true, nullptr, core::Bytes{1, 2});
    writer.add(row);
    const auto octets = writer.finish();
    {
        postgres::CopyReader reader(t);
        Values out;
        BOOST_REQUIRE(reader.take(octets.substr(0, octets.size() - 2), out));
        BOOST_TEST((out == row));
        BOOST_TEST(!reader.take(octets.substr(octets.size() - 2), out));
    }
    for (std::size_t length = 0; length + 2 < octets.size(); ++length) {
        postgres::CopyReader reader(t);
        Values out;
        if (length == 19) continue;  // a header alone
        BOOST_CHECK_THROW(reader.take(octets.substr(0, length), out), E);
    }
    for (const auto& [at, why] : {std::pair<std::size_t, const char*>(0, "it has another header"), {20, "a row has another number of columns"}, {24, "a number has not 8 octets"}}) {
        auto bad = octets.substr(0, octets.size() - 2);
        bad[at] = static_cast<char>(bad[at] ^ 2);
        postgres::CopyReader reader(t);
        Values out;
        BOOST_CHECK_EXCEPTION(reader.take(bad, out), E, says<E>(why));
    }
    postgres::CopyReader reader(t);
    Values out;
    BOOST_CHECK_EXCEPTION(reader.take(octets, out), E, says<E>("a row has more than its columns"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
