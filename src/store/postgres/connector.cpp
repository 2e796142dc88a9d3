#include "store/postgres/connector.hpp"

#include <algorithm>

#include "store/postgres/fault.hpp"

namespace postern::store::postgres {

namespace {

constexpr std::chrono::milliseconds first_delay(100), longest_delay(5000);

/// What every session is set to, and what it must be asked. A commit is on the disk when it returns.
constexpr const char* settings_sql =
    "SELECT set_config('statement_timeout', $1, false), set_config('synchronous_commit', "
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false), "
    "set_config('default_transaction_isolation', 'read committed', false), current_setting('fsync'), pg_is_in_recovery()";
enum Column { fsync = 3, recovery = 4 };

}  // namespace

Handle connect_any(const Target& target, std::size_t& first, std::chrono::milliseconds each, const Stopped& stopped) {
    std::string reasons;
    for (std::size_t i = 0; i < target.hosts(); ++i) {
        const std::size_t host = (first + i) % target.hosts();
        try {
            Handle handle = target.connect(host, core::deadline_in(each), stopped);
            first = host;
            return handle;
        } catch (const StoreUnavailable& e) {
            if (stopped && stopped()) throw;
            reasons += (reasons.empty() ? "" : "; ") + std::string(e.what());
        }
    }
    throw StoreUnavailable(reasons);
}

Connector::Connector(const PostgresSettings& settings, Target target, Made made, Failed failed)
    : settings_(settings),
      target_(std::move(target)),
      made_(std::move(made)),
      failed_(std::move(failed)),
      thread_([this] { loop(); }) {}

Connector::~Connector() { stop(); }

void Connector::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Connector::want(bool soon) {
    {
        const std::lock_guard lock(mutex_);
        ++wanted_;
        if (!soon) delay_ = std::clamp(delay_ * 2, first_delay, longest_delay);
    }
    wake_.notify_all();
}

/// False: stopped.
bool Connector::pause(std::unique_lock<std::mutex>& lock) {
    wake_.wait(lock, [this] { return stopping_ || wanted_ > 0; });
    if (stopping_ || delay_.count() == 0) return !stopping_;
    // Half of it at least: nodes that lost one database together come back apart.
    const auto half = delay_ / 2;
    const std::chrono::milliseconds rest(std::uniform_int_distribution<std::int64_t>(0, half.count())(random_));
    wake_.wait_for(lock, half + rest, [this] { return stopping_.load(); });
    return !stopping_;
}

void Connector::loop() {
    std::unique_lock lock(mutex_);
    while (pause(lock)) {
        lock.unlock();
        Handle handle;
        std::string why;
        try {
            handle = connect();
        } catch (const std::exception& e) {
            why = e.what();
        }
        lock.lock();
        if (stopping_) return;
        delay_ = handle ? std::chrono::milliseconds(0) : std::clamp(delay_ * 2, first_delay, longest_delay);
        if (handle) --wanted_;
        lock.unlock();
        if (handle) made_(std::move(handle));
        else failed_(why);
        lock.lock();
    }
}

Handle Connector::connect() {
    Handle handle = connect_any(target_, good_host_, settings_.connect_deadline, stopped_);
    return prepare(std::move(handle));
}

Handle Connector::prepare(Handle handle) {
    const std::vector<std::string> timeout{std::to_string(settings_.statement_timeout.count())};
    const Result result = query(handle.get(), settings_sql, timeout, core::deadline_in(settings_.connect_deadline), stopped_);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
        throw StoreUnavailable("store: the database would not take a session's settings: " + Refusal(result.get()).message);
    }
    if (std::string_view(PQgetvalue(result.get(), 0, recovery)) == "t") throw StoreUnavailable("store: the server is a standby");
    if (std::string_view(PQgetvalue(result.get(), 0, fsync)) == "off" && !told_of_fsync_ && settings_.notice) {
        told_of_fsync_ = true;
        settings_.notice("store_fsync_off",
                         "the PostgreSQL server runs with fsync=off: a crash of its machine loses or destroys what was "
                         "acknowledged; set fsync=on");
    }
    if (PQsetnonblocking(handle.get(), 1) != 0 || PQenterPipelineMode(handle.get()) == 0) {
        throw StoreUnavailable("store: " + one_line(PQerrorMessage(handle.get())));
    }
    return handle;
}

}  // namespace postern::store::postgres
