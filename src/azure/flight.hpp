#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <vector>

#include "azure/trouble.hpp"
#include "core/async/task.hpp"

namespace postern::azure {

/// One call under way that any number of others wait for. All of it on one executor that runs one
/// thing at a time.
template <class T>
class Flight {
public:
    /// What it brought, or `unreachable` at the deadline.
    static core::Task<Attempt<T>> wait(std::shared_ptr<Flight> flight, core::Deadline deadline) {
        namespace asio = boost::asio;
        if (!flight->outcome_) {
            auto executor = co_await asio::this_coro::executor;
            asio::steady_timer timer(executor, deadline);
            flight->waiting_.push_back(&timer);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            std::erase(flight->waiting_, &timer);
        }
        if (!flight->outcome_) co_return Failure(Trouble::unreachable, "no answer in time");
        co_return *flight->outcome_;
    }
    void land(Attempt<T> outcome) {
        outcome_.emplace(std::move(outcome));
        for (auto* timer : waiting_) timer->cancel();
    }

private:
    std::optional<Attempt<T>> outcome_;
    std::vector<boost::asio::steady_timer*> waiting_;
};

}  // namespace postern::azure
