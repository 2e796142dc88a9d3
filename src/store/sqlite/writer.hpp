#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/observe/metrics.hpp"
#include "store/sqlite/connection.hpp"
#include "store/sqlite/open.hpp"
#include "store/waiter.hpp"
#include "store/write_metrics.hpp"

namespace postern::store::sqlite {

inline observe::Gauge cache_gauge(observe::Metrics& metrics) {
    return metrics.gauge("postern_store_cache_bytes", "Page caches of all connections to the store, 8 MB each at most");
}

/// The one thread that writes. Batches that arrive while a commit runs share the next one, so one fsync serves
/// many. A conflict disturbs no neighbour: where it comes after changes, all are run again, each in a savepoint of its own.
class Writer {
public:
    Writer(const std::string& path, observe::Metrics& metrics, DiskFailed disk_failed);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Resumes after the commit that carries the batch.
    core::Task<Written> submit(Batch batch);
    /// Why the last commit failed; empty after one that did not.
    [[nodiscard]] std::string trouble() const;
    void close();

private:
    using Resume = Waiter<std::exception_ptr, Written>;
    /// Moved by construction only: Boost 1.81's any_completion_handler shares its handler with the one
    /// that is assigned from.
    struct Job {
        Job(Resume r, Batch b) : resume(std::move(r)), batch(std::move(b)) {}
        Job(Job&&) = default;
        Job& operator=(Job&&) = delete;
        Resume resume;
        Batch batch;
        Written written;
        std::exception_ptr failure;
    };
    using Jobs = std::vector<Job>;
    class Enqueue;

    void enqueue(Resume resume, Batch batch);
    void loop();
    /// False: closed, and nothing is left.
    bool take(Jobs& jobs);
    void commit(Jobs& jobs);
    /// False: one failed that had changed something, and nothing of the transaction may be kept.
    bool run_bare(Jobs& jobs);
    void run(Job& job);
    void attempt(Job& job);
    Written run_steps(const Batch& batch);
    void rollback() noexcept;
    void complete(Jobs& jobs);
    void checkpoint_when_due();
    void give_up(const Fault& fault);
    void set_trouble(std::string why);

    Connection connection_;
    const DiskFailed disk_failed_;
    std::string broken_;  ///< why no write is taken any more
    int checkpoint_due_;
    int frames_seen_ = 0;
    WriteMetrics metrics_;
    observe::Gauge cache_;

    mutable std::mutex mutex_;  ///< guards trouble_, queue_ and closing_
    std::string trouble_;
    std::condition_variable wake_;
    std::deque<Job> queue_;
    bool closing_ = false;
    std::mutex join_;
    std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace postern::store::sqlite
