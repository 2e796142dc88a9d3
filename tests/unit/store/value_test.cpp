#include "tests/unit/store/support.hpp"

namespace postern::store {

using test::says;

namespace {
constexpr Statement echo{"echo", "SELECT $1, $2, $3, $4, $5, $6, $7"};
constexpr Statement swapped{"swapped", "SELECT $2, $1"};
constexpr Statement quoted{"quoted", "SELECT '$1', $1 -- $2"};
constexpr Statement fraction{"fraction", "SELECT 1.5"};
constexpr Statement truth{"truth", "SELECT id FROM item WHERE flag"};
constexpr Statement flagged{"flagged", "INSERT INTO item (id, flag, data) VALUES ($1, $2, $3)"};
constexpr Statement two_items{"two_items", "SELECT 1 UNION ALL SELECT 2"};
constexpr Statement no_items{"no_items", "SELECT 1 WHERE FALSE"};
}  // namespace

BOOST_AUTO_TEST_SUITE(store_values)

BOOST_AUTO_TEST_CASE(every_type_comes_back_as_it_went) {
    test::Store store;
    const std::string text("a\0ä\"'", 6);
    const core::Bytes blob{0, 1, 0xff, 0};
    const auto at = core::from_ms(1'790'000'000'123);
    const auto rows = store.read(echo, values(nullptr, std::int64_t{-5}, true, text, blob, core::Bytes{}, at));
    const Row& row = rows.at(0);
    BOOST_TEST(row.size() == 7U);
    BOOST_TEST(row.null(0));
    BOOST_TEST(!row.optional_integer(0).has_value());
    BOOST_TEST(!row.optional_text(0).has_value());
    BOOST_TEST(!row.optional_time(0).has_value());
    BOOST_TEST(row.integer(1) == -5);
    BOOST_TEST(row.optional_integer(1).value() == -5);
    BOOST_TEST(row.boolean(2));
    BOOST_TEST(row.text(3) == text);
    BOOST_TEST(row.optional_text(3).value() == text);
    BOOST_TEST(row.blob(4) == blob);
    BOOST_TEST(!row.null(5));
    BOOST_TEST(row.blob(5).empty());
    BOOST_TEST((row.time(6) == at));
    BOOST_TEST((row.optional_time(6).value() == at));
}

BOOST_AUTO_TEST_CASE(booleans_and_blobs_live_in_columns) {
    test::Store store;
    store.write(flagged, values(1, true, core::Bytes{})).value();
    store.write(flagged, values(2, false, nullptr)).value();
    const auto rows = store.read(truth);
    BOOST_TEST(rows.size() == 1U);
    BOOST_TEST(rows.at(0).integer(0) == 1);
}

BOOST_AUTO_TEST_CASE(parameters_go_by_number_not_by_appearance) {
    test::Store store;
    const auto rows = store.read(swapped, values("one", "two"));
    BOOST_TEST(rows.at(0).text(0) == "two");
    BOOST_TEST(rows.at(0).text(1) == "one");
    const auto literal = store.read(quoted, values(7));
    BOOST_TEST(literal.at(0).text(0) == "$1");
    BOOST_TEST(literal.at(0).integer(1) == 7);
}

BOOST_AUTO_TEST_CASE(wrong_types_are_named) {
    test::Store store;
    const Row row(values(nullptr, 5, "text", core::Bytes{1}));
    using E = std::logic_error;
    BOOST_CHECK_EXCEPTION((void)row.integer(0), E, says<E>("column 0 is NULL where BIGINT was expected"));
    BOOST_CHECK_EXCEPTION((void)row.text(1), E, says<E>("column 1 is BIGINT where TEXT was expected"));
    BOOST_CHECK_EXCEPTION((void)row.boolean(1), E, says<E>("column 1 is BIGINT where BOOLEAN was expected"));
    BOOST_CHECK_EXCEPTION((void)row.blob(2), E, says<E>("column 2 is TEXT where BYTEA was expected"));
    BOOST_CHECK_EXCEPTION((void)row.text(3), E, says<E>("column 3 is BYTEA where TEXT was expected"));
    BOOST_CHECK_EXCEPTION((void)row.null(4), E, says<E>("column 4 of a row of 4"));
    BOOST_CHECK_EXCEPTION(store.read(fraction), E, says<E>("fraction: column 0 is a floating point number"));
}

BOOST_AUTO_TEST_CASE(read_one_takes_one_row_at_most) {
    test::Store store;
    BOOST_TEST(core::run_to_end(read_one(store.db(), test::item_count, {})).value().integer(0) == 0);
    BOOST_TEST(!core::run_to_end(read_one(store.db(), no_items, {})).has_value());
    using E = std::logic_error;
    BOOST_CHECK_EXCEPTION(core::run_to_end(read_one(store.db(), two_items, {})), E,
                          says<E>("two_items gave 2 rows where one at most was expected"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
