#include "core/async/repeat.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "core/async/deadline.hpp"
#include "core/base/unavailable.hpp"

namespace postern::core {

namespace {

bool is_stop(const std::exception& fault) {
    const auto* error = dynamic_cast<const boost::system::system_error*>(&fault);
    return error != nullptr && error->code() == boost::asio::error::operation_aborted;
}

}  // namespace

Task<void> repeat(Repeated how, std::function<Task<void>()> round) {
    auto pause = how.every;
    for (;;) {
        co_await sleep_for(pause);
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        bool failed = false;
        try {
            auto one = round();
            co_await std::move(one);
        } catch (const Unavailable& fault) {
            how.told(fault);
            pause = how.every;
            continue;
        } catch (const std::exception& fault) {
            if (is_stop(fault)) throw;
            how.told(fault);
            failed = true;
        }
        if (!failed) how.succeeded();
        pause = failed ? std::min(pause * 2, std::max(how.longest, how.every)) : how.every;
    }
}

}  // namespace postern::core
