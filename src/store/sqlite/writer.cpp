#include "store/sqlite/writer.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace postern::store::sqlite {

namespace {

/// Bounds the time that the first job of a commit waits for the last.
constexpr std::size_t jobs_per_commit = 256;
/// How often the I/O thread is let go on while it adds jobs.
constexpr int turns_given = 3;
/// More than that is an outage already; callers hear so at once.
constexpr std::size_t queue_limit = 16384;
/// 16 MiB of log: rare enough to write a busy page once, small enough not to stall the writer.
constexpr int checkpoint_frames = 4000;

constexpr Statement begin{"begin", "BEGIN IMMEDIATE"};
constexpr Statement commit_all{"commit", "COMMIT"};
constexpr Statement rollback_all{"rollback", "ROLLBACK"};
constexpr Statement savepoint{"savepoint", "SAVEPOINT job"};
constexpr Statement release{"release", "RELEASE job"};
constexpr Statement rollback_job{"rollback_job", "ROLLBACK TO job"};

}  // namespace

class Writer::Enqueue {
public:
    explicit Enqueue(Writer* writer) : writer_(writer) {}
    template <class Handler>
    void operator()(Handler handler, Batch batch) const {
        writer_->enqueue(Resume(std::move(handler)), std::move(batch));
    }

private:
    Writer* writer_;
};

Writer::Writer(const std::string& path, observe::Metrics& metrics, DiskFailed disk_failed)
    : connection_(path, Connection::Access::read_write),
      disk_failed_(std::move(disk_failed)),
      checkpoint_due_(checkpoint_frames),
      metrics_(metrics),
      cache_(cache_gauge(metrics)),
      thread_([this] { loop(); }) {}

Writer::~Writer() { close(); }

std::string Writer::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

/// On the writer's thread, which alone changes it.
void Writer::set_trouble(std::string why) {
    if (why.empty() && trouble_.empty()) return;
    metrics_.writable.set(why.empty() ? 1 : 0);
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(why);
}

void Writer::close() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    const std::lock_guard lock(join_);
    if (thread_.joinable()) thread_.join();
}

core::Task<Written> Writer::submit(Batch batch) {
    using boost::asio::use_awaitable;
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(std::exception_ptr, Written)>(
        Enqueue(this), use_awaitable, std::move(batch));
}

void Writer::enqueue(Resume resume, Batch batch) {
    std::string refusal;
    {
        const std::lock_guard lock(mutex_);
        if (closing_) {
            refusal = "store: closed";
        } else if (queue_.size() >= queue_limit) {
            refusal = "store: " + std::to_string(queue_limit) + " batches are waiting for the writer";
        } else {
            queue_.emplace_back(std::move(resume), std::move(batch));
        }
    }
    if (refusal.empty()) {
        wake_.notify_one();
    } else {
        resume.resume(std::make_exception_ptr(StoreUnavailable(refusal)), Written());
    }
}

void Writer::loop() {
    Jobs jobs;
    jobs.reserve(jobs_per_commit);
    metrics_.writable.set(1);
    while (take(jobs)) {
        commit(jobs);
        complete(jobs);
        checkpoint_when_due();
    }
}

bool Writer::take(Jobs& jobs) {
    std::size_t left = 0;
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
        // Woken by the first job. Where the I/O thread shares this core, it has more in hand: let it
        // finish its round, so that they commit together. On an idle core this returns at once.
        std::size_t seen = 0;
        for (int turns = 0; turns < turns_given && queue_.size() > seen && queue_.size() < jobs_per_commit; ++turns) {
            seen = queue_.size();
            lock.unlock();
            std::this_thread::yield();
            lock.lock();
        }
        const auto count = std::min(queue_.size(), jobs_per_commit);
        for (std::size_t i = 0; i < count; ++i) {
            jobs.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        left = queue_.size();
    }
    metrics_.queued.set(static_cast<double>(left));
    return !jobs.empty();
}

void Writer::commit(Jobs& jobs) {
    const auto start = std::chrono::steady_clock::now();
    std::exception_ptr lost;  // fails the whole commit
    try {
        if (!broken_.empty()) throw StoreUnavailable(broken_);
        connection_.control(begin);
        if (!run_bare(jobs)) {
            connection_.control(rollback_all);
            connection_.control(begin);
            for (Job& job : jobs) run(job);
        }
        connection_.control(commit_all);
        metrics_.commits.add();
        set_trouble({});
    } catch (const Fault& fault) {
        lost = std::current_exception();
        if (fault.lost_write()) give_up(fault);
        set_trouble(fault.what());
    } catch (...) {
        lost = std::current_exception();
    }
    if (lost) {
        rollback();
        // Conflicts too: what they conflicted with has not happened.
        for (Job& job : jobs) job.failure = lost;
    }
    connection_.count_cache(cache_);
    metrics_.seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

/// A savepoint has SQLite keep a copy of each page that a job changes, for the job that fails after it changed something, and
/// of those there are few: guards come first in a batch. What failed before that left nothing to undo.
bool Writer::run_bare(Jobs& jobs) {
    for (Job& job : jobs) {
        const auto before = connection_.changes();
        attempt(job);
        if (job.failure) return false;
        if (!job.written && (connection_.changes() != before || connection_.foreign_keys_open())) return false;
    }
    return true;
}

void Writer::run(Job& job) {
    connection_.control(savepoint);
    attempt(job);
    if (job.failure || !job.written) connection_.control(rollback_job);
    connection_.control(release);
}

/// Throws when the transaction around the job is lost.
void Writer::attempt(Job& job) {
    job.failure = nullptr;
    try {
        job.written = run_steps(job.batch);
    } catch (const Fault& fault) {
        // SQLite ends the whole transaction after some of these; and a write of which the system
        // lost a part ends it for us.
        if (fault.lost_write() || !connection_.in_transaction()) throw;
        job.failure = std::current_exception();
    } catch (...) {
        job.failure = std::current_exception();
    }
}

Written Writer::run_steps(const Batch& batch) {
    Conflict conflict;
    for (const auto& step : batch.steps()) {
        const auto ran = connection_.run(*step.statement, step.parameters);
        conflict.statement = step.statement;
        if (ran.refusal) {
            conflict.kind = *ran.refusal;
            return conflict;
        }
        if (step.expect == Expect::one && ran.rows != 1) return conflict;
    }
    // A deferred key would fail the COMMIT, and with it every job.
    if (connection_.foreign_keys_open()) {
        conflict.kind = Conflict::Kind::referenced;
        return conflict;
    }
    return Written();
}

void Writer::rollback() noexcept {
    try {
        if (connection_.in_transaction()) connection_.control(rollback_all);
    } catch (const std::exception& e) {
        broken_ = std::string("store: the writer could not roll back; restart Postern: ") + e.what();
    }
}

void Writer::complete(Jobs& jobs) {
    double committed = 0;
    double conflicts = 0;
    double failures = 0;
    for (const Job& job : jobs) (job.failure ? failures : job.written ? committed : conflicts) += 1;
    if (committed > 0) metrics_.committed.add(committed);
    if (conflicts > 0) metrics_.conflicts.add(conflicts);
    if (failures > 0) metrics_.failures.add(failures);
    resume_together(jobs, [](const Job& job) { return job.resume.executor(); },
                    [](Job& job) { job.resume.now(std::move(job.failure), job.written); });
}

/// After the waiters went on. Ours instead of SQLite's automatic one, which hides a failed fsync.
void Writer::checkpoint_when_due() {
    const int frames = connection_.wal_frames();
    if (frames < frames_seen_) checkpoint_due_ = checkpoint_frames;  // the log began anew
    frames_seen_ = frames;
    if (frames < checkpoint_due_ || !broken_.empty()) return;
    checkpoint_due_ = frames + checkpoint_frames;
    try {
        connection_.checkpoint();
    } catch (const Fault& fault) {
        // Others (a full disk, a reader in the way) leave everything in the log, which is durable.
        if (fault.lost_write()) give_up(fault);
    }
}

/// Before any of the commit's jobs is told. A second try might succeed without the lost pages.
void Writer::give_up(const Fault& fault) {
    broken_ = std::string("store: writing stopped after a failed disk operation; check the disk and restart "
                          "Postern: ") + fault.what();
    if (disk_failed_) disk_failed_(broken_);
}

}  // namespace postern::store::sqlite
