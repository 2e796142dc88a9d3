#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "store/postgres/open.hpp"
#include "tests/support/postgres.hpp"
#include "tests/unit/store/support.hpp"

namespace postern::test {

inline constexpr store::Migration postgres_items[] = {
    {1, "items",
     "CREATE TABLE item (id BIGINT PRIMARY KEY, name TEXT UNIQUE, data BYTEA, flag BOOLEAN, version BIGINT "
     "NOT NULL DEFAULT 1 CHECK (version > 0));"
     "CREATE TABLE part (id BIGINT PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id) "
     "DEFERRABLE INITIALLY DEFERRED);"
     "CREATE TABLE label (id BIGINT PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id));"}};

/// Not guarded by a version: done twice, it shows.
inline constexpr store::Statement item_raise{"item_raise", "UPDATE item SET version = version + 1 WHERE id = $1"};
inline constexpr store::Statement item_version{"item_version", "SELECT version FROM item WHERE id = $1"};

/// What is not decided by time: it holds sooner or later, or the case fails.
template <class F>
void eventually(F holds, const char* what) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
        BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, what << " within a minute");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

/// Short limits for what is to run into them.
inline store::PostgresSettings postgres_settings(const std::string& url) {
    store::PostgresSettings settings;
    settings.url = url;
    settings.connections = 4;
    return settings;
}

/// What the adapter told, in order.
class Notices {
public:
    store::StoreNotice taker() {
        return [this](std::string_view event, const std::string& what) {
            const std::lock_guard lock(mutex_);
            all_.emplace_back(std::string(event), what);
        };
    }
    [[nodiscard]] std::size_t count(std::string_view event) const {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [&](const auto& n) { return n.first == event; }));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<std::string, std::string>> all_;
};

/// A database of items in a schema of its own.
class Items {
public:
    explicit Items(const std::function<void(store::PostgresSettings&)>& change = {}) {
        auto settings = postgres_settings(schema_.url());
        settings.notice = notices.taker();
        if (change) change(settings);
        db_ = store::open_postgres(settings, clock_, metrics_, postgres_items);
    }

    store::Database& db() { return *db_; }
    Schema& schema() { return schema_; }
    Session& admin() { return schema_.admin(); }
    store::Written write(store::Batch batch) { return core::run_to_end(db_->write(std::move(batch))); }
    store::Written write(const store::Statement& s, store::Values v, store::Expect e = store::Expect::one) {
        store::Batch batch;
        batch.add(s, std::move(v), e);
        return write(std::move(batch));
    }
    store::Rows read(const store::Statement& s, store::Values v = {}) { return core::run_to_end(db_->read(s, std::move(v))); }
    std::int64_t count() { return read(item_count).at(0).integer(0); }
    std::int64_t version(std::int64_t id) { return read(item_version, store::values(id)).at(0).integer(0); }
    /// A table of the schema, for a session that has another search_path.
    std::string table(const std::string& name) { return schema_.name() + "." + name; }
    /// The value of a series, as it is scraped.
    double metric(const std::string& series) {
        const auto text = metrics_.scrape();
        const auto at = text.find("\n" + series + " ");
        return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
    }
    /// Sessions of the adapter that wait for a lock.
    std::int64_t blocked() {
        return std::stol(admin().value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postern: " + schema_.name() +
                                       "' AND wait_event_type = 'Lock'"));
    }

    Notices notices;

private:
    Schema schema_;
    core::FakeClock clock_{core::from_ms(1'800'000'000'000)};
    observe::Metrics metrics_;
    std::unique_ptr<store::Database> db_;
};

/// Calls that run beside the case.
class Calls {
public:
    explicit Calls(store::Database& db) : db_(db) {}
    ~Calls() { wait(); }
    void write(store::Batch batch) {
        boost::asio::co_spawn(context_, one(std::move(batch)), [](std::exception_ptr) {});
        go();
    }
    void write(const store::Statement& s, store::Values v, store::Expect e = store::Expect::one) {
        store::Batch batch;
        batch.add(s, std::move(v), e);
        write(std::move(batch));
    }
    void read(const store::Statement& s, store::Values v) {
        boost::asio::co_spawn(context_, one(s, std::move(v)), [](std::exception_ptr) {});
        go();
    }
    /// Until all have an answer.
    void wait() {
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] int answered() const { return won + lost + failed; }

    std::atomic<int> won{0}, lost{0}, failed{0};
    /// Of the failures, by what they said.
    std::map<std::string, int> said() {
        const std::lock_guard lock(mutex_);
        return said_;
    }

private:
    core::Task<void> one(store::Batch batch) {
        try {
            const store::Written written = co_await db_.write(std::move(batch));
            ++(written ? won : lost);
        } catch (const std::exception& e) {
            note(e);
        }
    }
    core::Task<void> one(const store::Statement& s, store::Values v) {
        try {
            const store::Rows rows = co_await db_.read(s, std::move(v));
            ++won;
        } catch (const std::exception& e) {
            note(e);
        }
    }
    void note(const std::exception& e) {
        const std::lock_guard lock(mutex_);
        ++said_[e.what()];
        ++failed;
    }
    /// All calls of one round run on one thread; the next round begins after wait().
    void go() {
        if (thread_.joinable()) return;
        context_.restart();
        thread_ = std::thread([this] { context_.run(); });
    }

    store::Database& db_;
    boost::asio::io_context context_{1};
    std::mutex mutex_;
    std::map<std::string, int> said_;
    std::thread thread_;
};

}  // namespace postern::test
