#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "core/crypto/system_random.hpp"
#include "store/postgres/condition.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/connector.hpp"
#include "store/write_metrics.hpp"

namespace postern::store::postgres {

/// Connections on one io_context, which one thread runs. A call goes to the least busy connection. The server
/// carries out what one connection sends one after another and forces its log to the disk for each batch, so commits
/// are only grouped across connections; and some connections carry reads alone, which never wait behind such a commit.
class Pool final : public Connection::Owner, public std::enable_shared_from_this<Pool> {
public:
    Pool(boost::asio::io_context& context, const PostgresSettings& settings, Target target, Condition& condition,
         observe::Metrics& metrics);

    /// Begins to connect; once.
    void start();
    /// From any thread; the call's end is told on the executor of its waiter. From the context's own thread
    /// it is sent at once.
    void enqueue(JobPtr job);
    [[nodiscard]] boost::asio::io_context& context() const noexcept { return context_; }
    /// Refuses more, waits for what is under way and ends the connections. The context must be running, and not
    /// on the caller's thread. Once.
    void close();

private:
    using ConnectionPtr = std::shared_ptr<Connection>;

    // All of it runs on the context.
    void take_in();
    void place(JobPtr job);
    bool send(JobPtr& job);
    [[nodiscard]] Connection* free_for(const Job& job) const;
    void send_waiting();
    void answered(Connection& connection, JobPtr job) override;
    void lost(Connection& connection, const std::string& why) override;
    void recover(JobPtr job, const std::string& why);
    void settle(JobPtr job, const std::string& why);
    void settled(Connection& connection, JobPtr job);
    void refused(Connection& connection, JobPtr job);
    void again(JobPtr job, const std::string& why);
    void later(JobPtr job, std::chrono::microseconds delay);
    void joined(Handle handle);
    void drop(Connection& connection, const std::string& why);
    void tick();
    void arm();
    void expire(std::deque<JobPtr>& queue, core::Deadline now);
    void fail(JobPtr job, const std::string& why);
    void deliver(JobPtr job);
    void resume_finished();
    void end_when_idle();
    void count_waiting();
    void end();
    [[nodiscard]] std::size_t connected() const noexcept { return reading_.size() + writing_.size(); }

    boost::asio::io_context& context_;
    const PostgresSettings settings_;
    const Target target_;
    Condition& condition_;
    WriteMetrics metrics_;
    observe::Counter retries_, settled_committed_, settled_not_, settled_unknown_;
    crypto::SystemRandom random_;
    std::minstd_rand jitter_{std::random_device()()};

    boost::asio::steady_timer ticker_;
    bool ticking_ = false, resuming_ = false;
    std::vector<ConnectionPtr> reading_, writing_;  ///< reads alone; writes, and reads where one is idle
    std::deque<JobPtr> waiting_reads_, waiting_writes_;
    std::size_t counted_waiting_ = 0;
    std::vector<JobPtr> finished_;
    core::Deadline heard_{};

    std::atomic<std::size_t> taken_{0};  ///< calls that were not resumed yet
    std::mutex mutex_;                   ///< guards what follows
    std::vector<JobPtr> inbox_;
    bool awake_ = false, closing_ = false, closed_ = false;
    std::condition_variable idle_;

    std::unique_ptr<Connector> connector_;  ///< last: its thread uses all of the above
};

}  // namespace postern::store::postgres
