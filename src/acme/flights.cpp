#include "acme/flights.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

namespace postern::acme {
namespace asio = boost::asio;

namespace {
struct Waiter {
    Waiter(const core::Executor& e, core::Deadline until) : executor(e), timer(e, until) {}
    core::Executor executor;
    asio::steady_timer timer;
};
}  // namespace

struct Flight::Impl {
    mutable std::mutex mutex;
    bool ended = false;
    std::optional<store::AcmeChallengeRow> result;
    std::vector<std::shared_ptr<Waiter>> waiters;
};

Flight::Flight() : impl_(std::make_unique<Impl>()) {}
Flight::~Flight() = default;

core::Task<void> Flight::wait(std::shared_ptr<Flight> flight, core::Deadline until) {
    const core::Executor executor = co_await asio::this_coro::executor;
    const auto waiter = std::make_shared<Waiter>(executor, until);
    {
        const std::lock_guard lock(flight->impl_->mutex);
        if (flight->impl_->ended) co_return;
        flight->impl_->waiters.push_back(waiter);
    }
    // The timer is cancelled by a handler of this executor, so never before the wait has begun.
    co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

bool Flight::ended() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->ended;
}

std::optional<store::AcmeChallengeRow> Flight::result() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->ended ? impl_->result : std::nullopt;
}

void Flight::land() {
    std::vector<std::shared_ptr<Waiter>> waiters;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ended = true;
        waiters.swap(impl_->waiters);
    }
    for (const auto& waiter : waiters) asio::post(waiter->executor, [waiter] { waiter->timer.cancel(); });
}

std::pair<std::shared_ptr<Flight>, bool> Flights::join(const std::string& token) {
    const std::lock_guard lock(mutex_);
    auto& place = running_[token];
    const bool first = place == nullptr;
    if (first) place = std::make_shared<Flight>();
    return {place, first};
}

void Landing::set_result(store::AcmeChallengeRow row) {
    const std::lock_guard lock(flight_->impl_->mutex);
    flight_->impl_->result = std::move(row);
}

Landing::~Landing() {
    if (!flight_) return;  // moved from
    {
        const std::lock_guard lock(flights_->mutex_);
        flights_->running_.erase(token_);
    }
    flight_->land();
}

}  // namespace postern::acme
