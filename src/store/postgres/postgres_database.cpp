#include "store/postgres/postgres_database.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postern::store::postgres {

namespace {

/// A pool with fewer has no room for reads beside its commits.
constexpr int least_of_a_lane = 4;
/// Of those who are not on a shard: the start, and its end.
constexpr int least_at_home = 2;

PostgresSettings with_connections(PostgresSettings settings, int connections, std::size_t pools) {
    settings.connections = connections;
    settings.queue = std::max<std::size_t>(1, settings.queue / pools);
    return settings;
}

bool has_lanes(const PostgresSettings& settings) noexcept {
    return settings.for_shards && settings.connections >= least_at_home + least_of_a_lane;
}

}  // namespace

class PostgresDatabase::EnqueueRead {
public:
    explicit EnqueueRead(const PostgresDatabase* database) : database_(database) {}
    template <class Handler>
    void operator()(Handler handler, const Statement* statement, Values parameters) const {
        Job::Read waiter(std::move(handler));
        Pool& pool = database_->pool_of(waiter.executor());
        pool.enqueue(std::make_unique<Job>(std::move(waiter), *statement, std::move(parameters)));
    }

private:
    const PostgresDatabase* database_;
};

class PostgresDatabase::EnqueueWrite {
public:
    explicit EnqueueWrite(const PostgresDatabase* database) : database_(database) {}
    template <class Handler>
    void operator()(Handler handler, Batch batch) const {
        Job::Write waiter(std::move(handler));
        Pool& pool = database_->pool_of(waiter.executor());
        pool.enqueue(std::make_unique<Job>(std::move(waiter), std::move(batch)));
    }

private:
    const PostgresDatabase* database_;
};

PostgresDatabase::PostgresDatabase(const PostgresSettings& settings, Target target, observe::Metrics& metrics)
    : settings_(settings), target_(std::move(target)), metrics_(metrics), condition_(settings.notice, metrics) {
    const int connections = has_lanes(settings_) ? least_at_home : settings_.connections;
    home_ = std::make_shared<Pool>(context_, with_connections(settings_, connections, 1), target_, condition_, metrics_);
    home_->start();
    thread_ = std::thread([this] { context_.run(); });
}

core::Task<Rows> PostgresDatabase::read(const Statement& statement, Values parameters) {
    using boost::asio::use_awaitable;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(std::exception_ptr, Rows)>(
        EnqueueRead(this), use_awaitable, &statement, std::move(parameters));
}

core::Task<Written> PostgresDatabase::write(Batch batch) {
    using boost::asio::use_awaitable;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(std::exception_ptr, Written)>(
        EnqueueWrite(this), use_awaitable, std::move(batch));
}

void PostgresDatabase::use_shards(core::Shards& shards) {
    if (!has_lanes(settings_)) return;
    const int connections = settings_.connections - least_at_home;
    const std::size_t count = std::min(shards.size(), static_cast<std::size_t>(connections / least_of_a_lane));
    for (std::size_t i = 0; i < count; ++i) {
        // What does not divide goes to the first ones.
        const int share = connections / static_cast<int>(count) + (i < static_cast<std::size_t>(connections) % count ? 1 : 0);
        pools_.push_back(std::make_shared<Pool>(shards.at(i), with_connections(settings_, share, count), target_, condition_, metrics_));
        pools_.back()->start();
    }
    for (std::size_t i = 0; i < shards.size(); ++i) lanes_list_.emplace_back(&shards.at(i), pools_[i % count].get());
    lanes_.store(&lanes_list_, std::memory_order_release);
}

Pool& PostgresDatabase::pool_of(const core::Executor& executor) const noexcept {
    const Lanes* const lanes = lanes_.load(std::memory_order_acquire);
    if (lanes == nullptr) return *home_;
    const auto& context = boost::asio::query(executor, boost::asio::execution::context);
    for (const auto& [shard, pool] : *lanes)
        if (shard == &context) return *pool;
    return *home_;
}

void PostgresDatabase::close() {
    const std::lock_guard lock(closing_);
    if (std::exchange(closed_, true)) return;
    for (const auto& pool : pools_) pool->close();
    home_->close();
    work_.reset();
    thread_.join();
}

}  // namespace postern::store::postgres
