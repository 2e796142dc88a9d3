#pragma once
#include <thread>

#include "tests/unit/store/support.hpp"

/// What both engines hold of migrations in the same way. `Place` opens its database with a list of them.
namespace postern::store::test_cases {

inline constexpr Statement things{"things", "SELECT id FROM thing"};

/// Four threads open a new database with `list`; all of them do, and find it applied once.
template <class Place>
void open_at_once(Place& place, const std::vector<Migration>& list) {
    std::unique_ptr<Database> opened[4];
    std::vector<std::string> errors(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            try {
                opened[i] = place.open(list);
            } catch (const std::exception& e) {
                errors[i] = e.what();
            }
        });
    }
    for (auto& t : threads) t.join();
    for (const auto& error : errors) BOOST_REQUIRE_EQUAL(error, "");
    for (auto& db : opened) BOOST_TEST(core::run_to_end(db->read(things, {})).size() == 1U);
    Batch batch;
    batch.add(things, {});
    BOOST_TEST(core::run_to_end(opened[1]->write(std::move(batch))).has_value());
}

/// The version before runs on a schema that only grew, and none that a later step shuts out. `first` makes the table `thing`.
template <class Place>
void run_on_a_newer_schema(Place& place, const Migration& first) {
    using E = std::runtime_error;
    const Migration grown{2, "grown", "-- readable by V0001\nALTER TABLE thing ADD COLUMN note TEXT; INSERT INTO thing (id) VALUES (7);"};
    const Migration shrunk{3, "shrunk", "-- readable by V0002: nothing reads labels any more\nUPDATE thing SET label = NULL;"};
    const Migration other{4, "other", "UPDATE thing SET note = 'x';"};
    place.open({first, grown});
    for (int i = 0; i < 2; ++i) {
        const auto before = place.open({first});
        BOOST_TEST(core::run_to_end(before->read(things, {})).size() == 1U);
    }
    place.open({first, grown, shrunk});
    place.open({first, grown});
    BOOST_CHECK_EXCEPTION(place.open({first}), E, test::says<E>("has schema 3, this Postern knows schemas up to 1; install the newer Postern, or restore the backup "
                                                                "made before the upgrade (V0003__shrunk.sql is for versions that know schema 2)"));
    place.open({first, grown, shrunk, other});
    for (const auto& list : {std::vector<Migration>{first, grown}, std::vector<Migration>{first, grown, shrunk}})
        BOOST_CHECK_EXCEPTION(place.open(list), E, test::says<E>("(V0004__other.sql is for versions that know schema 4)"));
    place.open({first, grown, shrunk, other});
    for (const char* line : {"-- readable by V0002\n", "-- readable by V0000\n", "-- readable by V1\n", "-- readable by Vxxxx\n", "-- readable by V"})
        BOOST_CHECK_EXCEPTION(place.open({first, Migration{2, "wrong", line}}), std::logic_error, test::says<std::logic_error>("V0002__wrong.sql must say which earlier migration"));
}

/// A record of migrations that an earlier version wrote does not say who may read. `drop` takes the column away.
template <class Place, class Drop>
void go_on_from_a_record_that_says_nothing(Place& place, const Migration& first, Drop drop) {
    using E = std::runtime_error;
    const Migration grown{2, "grown", "-- readable by V0001\nINSERT INTO thing (id) VALUES (7);"};
    const Migration more{3, "more", "-- readable by V0001\nINSERT INTO thing (id) VALUES (8);"};
    place.open({first, grown});
    drop();
    BOOST_CHECK_EXCEPTION(place.open({first}), E, test::says<E>("(V0002__grown.sql is for versions that know schema 2)"));
    place.open({first, grown});
    place.open({first, grown, more});
    BOOST_TEST(core::run_to_end(place.open({first, grown})->read(things, {})).size() == 2U);
    BOOST_CHECK_EXCEPTION(place.open({first}), E, test::says<E>("(V0002__grown.sql is for versions that know schema 2)"));
}

}  // namespace postern::store::test_cases
