#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "core/async/shards.hpp"

using namespace postern::core;

namespace {

/// An operation that is given up without a word: whoever waits for it is destroyed.
Task<void> dropped() {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>([](auto) {}, boost::asio::use_awaitable);
}

Task<int> never_a_value() {
    co_await dropped();
    co_return 7;
}

Task<int> value() { co_return 7; }

Task<void> throws() {
    throw std::runtime_error("broken on purpose");
    co_return;
}

bool aborted(const boost::system::system_error& e) { return e.code() == boost::asio::error::operation_aborted; }

}  // namespace

BOOST_AUTO_TEST_SUITE(async_run_to_end)

BOOST_AUTO_TEST_CASE(the_end_is_what_the_task_ends_with) {
    BOOST_TEST(run_to_end(value()) == 7);
    BOOST_CHECK_THROW(run_to_end(throws()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_task_that_is_dropped_gives_no_value_and_no_success) {
    BOOST_CHECK_EXCEPTION(run_to_end(never_a_value()), boost::system::system_error, aborted);
    BOOST_CHECK_EXCEPTION(run_to_end(dropped()), boost::system::system_error, aborted);
}

BOOST_AUTO_TEST_SUITE_END()
