#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/crypto/system_random.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/connector.hpp"
#include "store/write_metrics.hpp"

namespace postern::store::postgres {

/// A node's connections, on one I/O thread of their own. A call goes to the least busy connection. The server
/// carries out what one connection sends one after another and forces its log to the disk for each batch, so commits
/// are only grouped across connections; and some connections carry reads alone, which never wait behind such a commit.
class Pool final : public Connection::Owner {
public:
    Pool(const PostgresSettings& settings, Target target, observe::Metrics& metrics);
    ~Pool() override;

    core::Task<Rows> read(const Statement& statement, Values parameters);
    core::Task<Written> write(Batch batch);
    [[nodiscard]] std::string trouble() const;
    void close();

private:
    class EnqueueRead;
    class EnqueueWrite;
    using ConnectionPtr = std::shared_ptr<Connection>;

    void enqueue(JobPtr job);  ///< from any thread; the rest runs on the I/O thread
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
    /// `away`: it ends when the database answers again, not only with a write that succeeds.
    void set_trouble(std::string why, bool away);
    void clear_trouble();
    [[nodiscard]] std::size_t connected() const noexcept { return reading_.size() + writing_.size(); }

    const PostgresSettings settings_;
    WriteMetrics metrics_;
    observe::Gauge connections_gauge_;
    observe::Counter losses_, retries_, settled_committed_, settled_not_, settled_unknown_;
    crypto::SystemRandom random_;
    std::minstd_rand jitter_{std::random_device()()};

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    boost::asio::steady_timer ticker_{context_};
    bool ticking_ = false, resuming_ = false, losing_ = false;
    std::vector<ConnectionPtr> reading_, writing_;  ///< reads alone; writes, and reads where one is idle
    std::deque<JobPtr> waiting_reads_, waiting_writes_;
    std::vector<JobPtr> finished_;
    core::Deadline heard_{};

    std::atomic<std::size_t> taken_{0};  ///< calls that were not resumed yet
    std::atomic<bool> troubled_{false}, away_{false};
    mutable std::mutex mutex_;  ///< guards what follows
    std::vector<JobPtr> inbox_;
    bool awake_ = false, closing_ = false, closed_ = false;
    std::string trouble_;
    std::condition_variable idle_;

    std::unique_ptr<Connector> connector_;
    std::mutex join_;
    std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace postern::store::postgres
