#include "core/async/repeat.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "core/base/unavailable.hpp"

using namespace postern;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(async_repeat)

BOOST_AUTO_TEST_CASE(no_fault_of_a_round_ends_it_and_a_cancellation_does) {
    boost::asio::io_context context;
    boost::asio::cancellation_signal stop;
    int rounds = 0, good = 0, away = 0;
    std::vector<std::string> told;
    core::Repeated how(1ms, [&](const std::exception& fault) {
        if (dynamic_cast<const core::Unavailable*>(&fault) != nullptr) ++away;
        else told.emplace_back(fault.what());
    });
    how.succeeded = [&] { ++good; };
    how.longest = 4ms;
    const auto round = [&]() -> core::Task<void> {
        switch (++rounds) {
            case 1: throw std::logic_error("a bug");
            case 2: throw core::Unavailable("away");
            case 3: throw std::runtime_error("a fault");
            case 6: stop.emit(boost::asio::cancellation_type::terminal); break;
            default: break;
        }
        co_return;
    };
    bool ended = false;
    boost::asio::co_spawn(context, core::repeat(how, round), boost::asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; }));
    context.run();
    BOOST_TEST(ended);
    BOOST_TEST(rounds == 6);
    BOOST_TEST((good == 2 || good == 3));  // the cancelled one may count
    BOOST_TEST(away == 1);
    BOOST_TEST((told == std::vector<std::string>{"a bug", "a fault"}), "told " << told.size());
}

BOOST_AUTO_TEST_SUITE_END()
