#pragma once
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/postgres/pool.hpp"

namespace postern::store::postgres {

/// The networked engine behind the port: at first one pool on a thread of its own; then pools on the shards, where a
/// call neither wakes another thread nor waits for it. With more shards than a quarter of the connections, some
/// shards share the pool of another.
class PostgresDatabase final : public Database {
public:
    PostgresDatabase(const PostgresSettings& settings, Target target, observe::Metrics& metrics);
    ~PostgresDatabase() override { close(); }

    core::Task<Rows> read(const Statement& statement, Values parameters) override;
    core::Task<Written> write(Batch batch) override;
    void use_shards(core::Shards& shards) override;
    void close() override;
    [[nodiscard]] std::string trouble() const override { return condition_.trouble(); }
    [[nodiscard]] std::string_view engine() const noexcept override { return "postgres"; }

private:
    using PoolPtr = std::shared_ptr<Pool>;
    /// The pool of each shard's context.
    using Lanes = std::vector<std::pair<const boost::asio::execution_context*, Pool*>>;
    class EnqueueRead;
    class EnqueueWrite;

    [[nodiscard]] Pool& pool_of(const core::Executor& executor) const noexcept;

    const PostgresSettings settings_;
    const Target target_;
    observe::Metrics& metrics_;
    Condition condition_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    PoolPtr home_;
    std::vector<PoolPtr> pools_;
    Lanes lanes_list_;
    std::atomic<const Lanes*> lanes_{nullptr};  ///< null: every call goes home
    std::mutex closing_;
    bool closed_ = false;
    std::thread thread_;
};

}  // namespace postern::store::postgres
