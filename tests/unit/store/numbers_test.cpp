#include "store/numbers.hpp"

#include <set>
#include <thread>

#include "tests/unit/store/support.hpp"

namespace postern::store {

namespace asio = boost::asio;

namespace {

core::Task<void> draw(Numbers& numbers, int times, std::vector<std::int64_t>& out) {
    for (int i = 0; i < times; ++i) {
        const auto n = co_await numbers.next(Series::enrollment);
        out.push_back(n);
    }
}

std::int64_t next(Numbers& numbers, Series series, std::int64_t count = 1) {
    return core::run_to_end(numbers.next(series, count));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_numbers)

BOOST_AUTO_TEST_CASE(series_begin_at_one_and_do_not_mix) {
    test::Store store;
    Numbers numbers(store.db());
    BOOST_TEST(next(numbers, Series::tenant) == 1);
    BOOST_TEST(next(numbers, Series::tenant) == 2);
    BOOST_TEST(next(numbers, Series::audit) == 1);
    BOOST_TEST(next(numbers, Series::tenant) == 3);
}

BOOST_AUTO_TEST_CASE(runs_are_consecutive_across_blocks) {
    test::Store store;
    Numbers numbers(store.db());
    BOOST_TEST(next(numbers, Series::acme, 600) == 1);
    BOOST_TEST(next(numbers, Series::acme, 600) == 601);
    BOOST_TEST(next(numbers, Series::acme, 1000) == 1201);
    BOOST_TEST(next(numbers, Series::acme) == 2201);
}

BOOST_AUTO_TEST_CASE(impossible_counts_are_refused) {
    test::Store store;
    Numbers numbers(store.db());
    using E = std::logic_error;
    BOOST_CHECK_EXCEPTION(next(numbers, Series::acme, 0), E, test::says<E>("0 numbers at once; 1 to 1000"));
    BOOST_CHECK_EXCEPTION(next(numbers, Series::acme, 1001), E, test::says<E>("1001 numbers at once"));
}

BOOST_AUTO_TEST_CASE(restart_goes_on_behind_what_was_handed_out) {
    test::Store store;
    {
        Numbers before(store.db());
        BOOST_TEST(next(before, Series::account) == 1);
    }
    Numbers after(store.db());
    BOOST_TEST(next(after, Series::account) == 1001);
}

BOOST_AUTO_TEST_CASE(no_number_is_given_twice_by_two_nodes_and_four_threads) {
    test::Store store;
    Numbers first(store.db());
    Numbers second(store.db());
    constexpr int coroutines = 32;
    constexpr int times = 150;
    std::vector<std::vector<std::int64_t>> drawn(4 * coroutines);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            asio::io_context context(1);
            for (std::size_t c = 0; c < coroutines; ++c) {
                auto& numbers = c % 2 == 0 ? first : second;
                asio::co_spawn(context, draw(numbers, times, drawn[t * coroutines + c]), [](std::exception_ptr e) {
                    if (e) std::rethrow_exception(e);
                });
            }
            context.run();
        });
    }
    for (auto& t : threads) t.join();
    std::set<std::int64_t> all;
    for (const auto& list : drawn) {
        BOOST_TEST(list.size() == static_cast<std::size_t>(times));
        BOOST_TEST(std::is_sorted(list.begin(), list.end()));
        all.insert(list.begin(), list.end());
    }
    BOOST_TEST(all.size() == drawn.size() * times);
}

BOOST_AUTO_TEST_CASE(lost_store_reaches_every_caller) {
    test::Store store;
    Numbers numbers(store.db());
    store.db().close();
    asio::io_context context(1);
    int failed = 0;
    std::vector<std::int64_t> out;
    for (int i = 0; i < 10; ++i) {
        asio::co_spawn(context, draw(numbers, 1, out), [&](std::exception_ptr e) { failed += e ? 1 : 0; });
    }
    context.run();
    BOOST_TEST(failed == 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace postern::store
