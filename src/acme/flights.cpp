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

std::pair<std::shared_ptr<Flight>, bool> Flights::join(const std::string& token, store::AcmeAccountId account) {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(token); found != running_.end()) return {found->second.flight, false};
    if (running_.size() >= most) return {nullptr, false};
    if (const auto own = of_account_.find(account.get()); own != of_account_.end() && own->second >= most_of_account) return {nullptr, false};
    const auto flight = std::make_shared<Flight>();
    running_.emplace(token, Running(flight, account.get()));
    ++of_account_[account.get()];
    return {flight, true};
}

bool Flights::full() const {
    const std::lock_guard lock(mutex_);
    return running_.size() >= most;
}

void Flights::leave(const std::string& token) {
    const std::lock_guard lock(mutex_);
    const auto gone = running_.find(token);
    const auto own = of_account_.find(gone->second.account);
    if (--own->second == 0) of_account_.erase(own);
    running_.erase(gone);
}

void Landing::set_result(store::AcmeChallengeRow row) {
    const std::lock_guard lock(flight_->impl_->mutex);
    flight_->impl_->result = std::move(row);
}

Landing::~Landing() {
    if (!flight_) return;  // moved from
    flights_->leave(token_);
    flight_->land();
}

}  // namespace postern::acme
