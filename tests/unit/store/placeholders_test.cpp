#include "store/sqlite/placeholders.hpp"

#include <boost/test/unit_test.hpp>
#include <string_view>

namespace postern::store {

BOOST_AUTO_TEST_SUITE(store_placeholders)

BOOST_AUTO_TEST_CASE(numbers_are_rewritten_outside_quotes_and_comments_only) {
    struct Case {
        std::string_view in, out;
    };
    const Case cases[] = {
        {"SELECT $2, $1", "SELECT ?2, ?1"},
        {"SELECT $10", "SELECT ?10"},
        {"SELECT '$1', $1", "SELECT '$1', ?1"},
        {"SELECT 'it''s $1', $2", "SELECT 'it''s $1', ?2"},
        {"SELECT \"a$1\", $1", "SELECT \"a$1\", ?1"},
        {"SELECT $1 -- not $2\n, $2", "SELECT ?1 -- not $2\n, ?2"},
        {"SELECT /* $1 */ $1", "SELECT /* $1 */ ?1"},
        {"SELECT '$", "SELECT '$"},
        {"SELECT $name, $", "SELECT $name, $"},
        {"", ""},
    };
    for (const auto& c : cases) BOOST_TEST(sqlite::numbered_placeholders(c.in) == c.out);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
