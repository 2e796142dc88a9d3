#include "store/lease.hpp"

namespace postern::store {

namespace {

constexpr Statement lease_create{
    "lease_create", "INSERT INTO lease (name, holder, fence, expires_ms) VALUES ($1, '', 0, 0) ON CONFLICT (name) DO NOTHING"};
constexpr Statement lease_read{"lease_read", "SELECT holder, fence, expires_ms FROM lease WHERE name = $1"};
/// $1 name, $2 the fencing number that was read, $3 holder, $4 expires_ms
constexpr Statement lease_take{
    "lease_take", "UPDATE lease SET holder = $3, fence = fence + 1, expires_ms = $4 WHERE name = $1 AND fence = $2"};
/// $1 name, $2 fence, $3 expires_ms
constexpr Statement lease_renew{"lease_renew", "UPDATE lease SET expires_ms = $3 WHERE name = $1 AND fence = $2"};
constexpr Statement lease_guard{"lease_guard", "SELECT 1 FROM lease WHERE name = $1 AND fence = $2",
                                "SELECT 1 FROM lease WHERE name = $1 AND fence = $2 FOR SHARE"};

}  // namespace

Lease::Lease(Database& db, const core::Clock& clock, std::string name, std::string holder, std::chrono::milliseconds time)
    : db_(db), clock_(clock), name_(std::move(name)), holder_(std::move(holder)), time_(time) {}

core::Task<bool> Lease::hold() {
    if (fence_ == 0) co_return co_await take();
    // A clock that was set back would keep a lease that the others see expired.
    const auto left = expires_ - clock_.now();
    if (left > time_ * 2 / 3 && left <= time_) co_return true;
    co_return co_await renew();
}

core::Task<bool> Lease::take() {
    auto key = values(name_);
    auto row = co_await read_one(db_, lease_read, std::move(key));
    if (!row) {
        Batch batch;
        batch.add(lease_create, values(name_), Expect::any);
        const Written created = co_await db_.write(std::move(batch));
        created.value();
        auto again = values(name_);
        row = co_await read_one(db_, lease_read, std::move(again));
    }
    const auto now = clock_.now();
    const bool mine = row->text(0) == holder_;
    // A clock that ran far ahead left an end that no holder of today's could have written.
    const bool held = row->time(2) > now && row->time(2) <= now + time_ + tolerance;
    if (!mine && held) co_return false;
    const auto seen = row->integer(1);
    Batch batch;
    batch.add(lease_take, values(name_, seen, holder_, now + time_));
    const Written taken = co_await db_.write(std::move(batch));
    if (!taken) co_return false;  // another node was first
    fence_ = seen + 1;
    expires_ = now + time_;
    co_return true;
}

core::Task<bool> Lease::renew() {
    const auto until = clock_.now() + time_;
    Batch batch;
    batch.add(lease_renew, values(name_, fence_, until));
    const Written renewed = co_await db_.write(std::move(batch));
    if (renewed) {
        expires_ = until;
        co_return true;
    }
    fence_ = 0;
    co_return false;
}

void Lease::guard(Batch& batch) const {
    batch.add(lease_guard, values(name_, fence_));
}

}  // namespace postern::store
