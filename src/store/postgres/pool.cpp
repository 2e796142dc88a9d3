#include "store/postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <thread>

namespace postern::store::postgres {

namespace {

/// A second batch lets the server go on while the answer to the first is on its way.
constexpr std::size_t batches_a_connection = 2, reads_a_connection = 8;
constexpr std::chrono::milliseconds tick_every(100);
/// The server's own timeout comes first, unless it is frozen or cut off.
constexpr std::chrono::milliseconds answer_grace(1000);
/// No answer for so long is trouble to tell of, before any call has failed.
constexpr std::chrono::milliseconds silence(3000);
/// A connection that lived for less was lost for a reason that a new one would meet as well.
constexpr std::chrono::milliseconds short_life(1000);

std::size_t readers_of(int connections) { return static_cast<std::size_t>(std::max(1, connections / 4)); }
std::size_t writers_of(int connections) { return static_cast<std::size_t>(connections) - readers_of(connections); }

bool less_busy(const std::shared_ptr<Connection>& a, const std::shared_ptr<Connection>& b) noexcept { return a->busy() < b->busy(); }

/// The least busy one of those with room, or null.
Connection* least_busy(const std::vector<std::shared_ptr<Connection>>& all, std::size_t room) noexcept {
    const auto best = std::min_element(all.begin(), all.end(), &less_busy);
    return best == all.end() || (*best)->busy() >= room ? nullptr : best->get();
}

observe::Counter settled_counter(observe::Metrics& metrics, std::string_view result) {
    return metrics.counter("postern_store_settled_total",
                           "Batches whose connection broke after they were sent, by what was found out", {{"result", result}});
}

}  // namespace

Pool::Pool(boost::asio::io_context& context, const PostgresSettings& settings, Target target, Condition& condition,
           observe::Metrics& metrics)
    : context_(context),
      settings_(settings),
      target_(std::move(target)),
      condition_(condition),
      metrics_(metrics),
      retries_(metrics.counter("postern_store_retries_total", "Reads and batches that were tried again")),
      settled_committed_(settled_counter(metrics, "committed")),
      settled_not_(settled_counter(metrics, "not_committed")),
      settled_unknown_(settled_counter(metrics, "unknown")),
      ticker_(context) {}

void Pool::start() {
    const auto made = [this](Handle handle) {
        boost::asio::post(context_, [self = shared_from_this(), h = std::move(handle)]() mutable { self->joined(std::move(h)); });
    };
    const auto failed = [this](const std::string& why) {
        boost::asio::post(context_, [self = shared_from_this(), why] {
            if (self->connected() == 0) self->condition_.set_trouble(why, true);
        });
    };
    connector_ = std::make_unique<Connector>(settings_, target_, made, failed);
    condition_.wanted(settings_.connections);
    for (int i = 0; i < settings_.connections; ++i) connector_->want(true);
}

void Pool::close() {
    {
        std::unique_lock lock(mutex_);
        closing_ = true;
        boost::asio::post(context_, [self = shared_from_this()] { self->end_when_idle(); });
        // Every job ends within its own deadlines.
        idle_.wait(lock, [this] { return closed_; });
    }
    connector_->stop();
    std::promise<void> ended;
    boost::asio::post(context_, [this, &ended] {
        end();
        ended.set_value();
    });
    ended.get_future().wait();
}

void Pool::end() {
    condition_.wanted(-settings_.connections);
    for (auto* group : {&reading_, &writing_}) {
        for (auto& connection : *group) {
            connection->close();
            condition_.lost("", false);
        }
        group->clear();
    }
    ticker_.cancel();
}

void Pool::enqueue(JobPtr job) {
    const std::size_t limit = settings_.queue + static_cast<std::size_t>(settings_.connections) * batches_a_connection;
    const bool here = context_.get_executor().running_in_this_thread();
    std::string refusal;
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (closing_) {
            refusal = "store: closed";
        } else if (taken_ >= limit) {
            refusal = "store: " + std::to_string(limit) + " calls are waiting for the database";
        } else {
            ++taken_;
            if (!here) {
                wake = !std::exchange(awake_, true);
                inbox_.push_back(std::move(job));
            }
        }
    }
    if (wake) boost::asio::post(context_, [self = shared_from_this()] { self->take_in(); });
    if (refusal.empty() && here) {
        job->until = core::deadline_in(settings_.wait);
        place(std::move(job));
    }
    if (refusal.empty()) return;
    const auto failure = std::make_exception_ptr(StoreUnavailable(refusal));
    if (auto* write = std::get_if<Job::Write>(&job->resume)) write->resume(failure, Written());
    else std::get<Job::Read>(job->resume).resume(failure, Rows());
}

void Pool::take_in() {
    // Woken by the first call. Where the caller's thread shares this core, it has more in hand: let it finish its
    // round, so that both threads wake for several. On an idle core this returns at once.
    std::this_thread::yield();
    std::vector<JobPtr> jobs;
    {
        const std::lock_guard lock(mutex_);
        jobs.swap(inbox_);
        awake_ = false;
    }
    const auto until = core::deadline_in(settings_.wait);
    for (auto& job : jobs) {
        job->until = until;
        place(std::move(job));
    }
}

void Pool::place(JobPtr job) {
    arm();
    if (send(job)) return;
    auto& queue = job->writes() ? waiting_writes_ : waiting_reads_;
    // An outcome that is asked for comes before new work.
    if (job->stage == Job::Stage::settle) queue.push_front(std::move(job));
    else queue.push_back(std::move(job));
    count_waiting();
}

/// False: nobody is free, and the job stays with the caller.
bool Pool::send(JobPtr& job) {
    Connection* const connection = free_for(*job);
    if (connection == nullptr) return false;
    try {
        connection->send(job);
    } catch (const std::logic_error&) {
        job->failure = std::current_exception();
        deliver(std::move(job));
    }
    return true;
}

Connection* Pool::free_for(const Job& job) const {
    if (job.writes()) return least_busy(writing_, batches_a_connection);
    if (Connection* idle = least_busy(reading_, 1)) return idle;
    if (Connection* idle = least_busy(writing_, 1)) return idle;
    return least_busy(reading_.empty() ? writing_ : reading_, reads_a_connection);
}

void Pool::send_waiting() {
    for (auto* queue : {&waiting_writes_, &waiting_reads_}) {
        const auto before = queue->size();
        while (!queue->empty() && send(queue->front())) queue->pop_front();
        if (queue->size() != before) count_waiting();
    }
}

void Pool::count_waiting() {
    const auto waiting = waiting_writes_.size() + waiting_reads_.size();
    metrics_.queued.add(static_cast<double>(waiting) - static_cast<double>(std::exchange(counted_waiting_, waiting)));
}

void Pool::lost(Connection& connection, const std::string& why) { drop(connection, why); }

void Pool::drop(Connection& connection, const std::string& why) {
    ConnectionPtr kept;
    for (auto* group : {&reading_, &writing_}) {
        const auto found = std::find_if(group->begin(), group->end(), [&](const auto& c) { return c.get() == &connection; });
        if (found == group->end()) continue;
        kept = std::move(*found);
        group->erase(found);
    }
    if (!kept) return;
    kept->close();
    const std::string words = "store: lost a connection to the database: " + why;
    condition_.lost(words, true);
    if (connected() == 0) condition_.set_trouble(words, true);
    const bool lived = std::chrono::steady_clock::now() - kept->made() >= short_life;
    connector_->want(lived);
    auto jobs = kept->take();
    for (auto& job : jobs) recover(std::move(job), words);
}

void Pool::joined(Handle handle) {
    std::uint64_t session = 0;
    std::array<std::uint8_t, sizeof session> octets{};
    random_.fill(octets);
    std::memcpy(&session, octets.data(), sizeof session);
    session >>= 1;
    auto connection = std::make_shared<Connection>(context_, std::move(handle), static_cast<std::int64_t>(session), *this);
    // One in four reads alone, also where the server gives fewer than were asked for.
    const bool more_writers = writing_.size() <= 3 * reading_.size() && writing_.size() < writers_of(settings_.connections);
    auto& group = more_writers || reading_.size() >= readers_of(settings_.connections) ? writing_ : reading_;
    group.push_back(connection);
    condition_.connected();
    connection->start();
    send_waiting();
}

void Pool::arm() {
    if (std::exchange(ticking_, true)) return;
    ticker_.expires_after(tick_every);
    ticker_.async_wait([self = shared_from_this()](const boost::system::error_code& e) {
        self->ticking_ = false;
        if (!e) self->tick();
    });
}

void Pool::tick() {
    const auto now = std::chrono::steady_clock::now();
    expire(waiting_writes_, now);
    expire(waiting_reads_, now);
    std::vector<ConnectionPtr> all(writing_);
    all.insert(all.end(), reading_.begin(), reading_.end());
    bool silent = false;
    for (const auto& connection : all) {
        if (connection->busy() == 0) continue;
        const auto working = now - connection->working_since();
        silent = silent || (working > silence && now - heard_ > silence);
        if (working > settings_.statement_timeout + answer_grace) {
            const auto s = std::chrono::duration_cast<std::chrono::milliseconds>(working).count();
            drop(*connection, "the database has not answered for " + std::to_string(s) + " ms");
        }
    }
    if (silent && !condition_.away()) condition_.set_trouble("store: the database has not answered for 3 s", true);
    if (taken_ > 0) arm();
}

void Pool::expire(std::deque<JobPtr>& queue, core::Deadline now) {
    std::deque<JobPtr> all;
    all.swap(queue);
    for (auto& job : all) {
        if (now < job->until) {
            queue.push_back(std::move(job));
            continue;
        }
        const std::string why = connected() == 0 ? "store: no connection to the database: " + condition_.trouble()
                                                 : "store: all connections to the database are busy";
        if (job->stage == Job::Stage::settle) settle(std::move(job), why);
        else fail(std::move(job), why);
    }
    count_waiting();
}

void Pool::fail(JobPtr job, const std::string& why) {
    job->failure = std::make_exception_ptr(StoreUnavailable(why));
    deliver(std::move(job));
}

void Pool::deliver(JobPtr job) {
    if (job->writes()) {
        if (job->failure) metrics_.failures.add();
        else if (job->written) (job->batch.is_transient() ? metrics_.transient : metrics_.committed).add();
        else metrics_.conflicts.add();
    }
    finished_.push_back(std::move(job));
    // After the other handlers of this turn, which may finish more.
    if (!std::exchange(resuming_, true)) boost::asio::post(context_, [self = shared_from_this()] { self->resume_finished(); });
}

void Pool::resume_finished() {
    resuming_ = false;
    const auto count = finished_.size();
    const auto executor_of = [](const JobPtr& job) {
        return std::visit([](const auto& waiter) { return waiter.executor(); }, job->resume);
    };
    const auto now = [](JobPtr& job) {
        if (auto* write = std::get_if<Job::Write>(&job->resume)) write->now(std::move(job->failure), job->written);
        else std::get<Job::Read>(job->resume).now(std::move(job->failure), std::move(job->rows));
    };
    resume_together(finished_, executor_of, now);
    taken_ -= count;
    end_when_idle();
}

void Pool::end_when_idle() {
    if (taken_ > 0) return;
    const std::lock_guard lock(mutex_);
    if (!closing_ || taken_ > 0) return;
    closed_ = true;
    idle_.notify_all();
}

}  // namespace postern::store::postgres
