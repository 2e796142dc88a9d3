#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "store/postgres/open.hpp"
#include "store/postgres/target.hpp"

namespace postern::store::postgres {

/// The one thread that makes connections, at the start and after losses: libpq resolves names with calls
/// that block, and SCRAM and TLS cost milliseconds. It backs off, with jitter, while the database is away.
class Connector {
public:
    /// A connection in pipeline mode that does not block; or why there is none at the moment. On the
    /// connector's thread.
    using Made = std::function<void(Handle)>;
    using Failed = std::function<void(const std::string& why)>;

    Connector(const PostgresSettings& settings, Target target, Made made, Failed failed);
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// One connection more. `soon` false: after one that lived for no time, so with a pause.
    void want(bool soon);
    /// Ends the thread; a name that is being resolved is waited for.
    void stop();

private:
    void loop();
    [[nodiscard]] bool pause(std::unique_lock<std::mutex>& lock);
    Handle connect();
    Handle prepare(Handle handle);

    const PostgresSettings settings_;
    const Target target_;
    const Made made_;
    const Failed failed_;
    const Stopped stopped_ = [this] { return stopping_.load(); };
    std::size_t good_host_ = 0;  ///< the one that answered last
    bool told_of_fsync_ = false;
    std::minstd_rand random_{std::random_device()()};

    std::mutex mutex_;
    std::condition_variable wake_;
    int wanted_ = 0;
    std::chrono::milliseconds delay_{0};
    std::atomic<bool> stopping_{false};
    std::thread thread_;  ///< last: it uses all of the above
};

/// Connects to the first host that takes writes, `first` before the others, and sets `first` to it.
/// Throws StoreUnavailable with the reason of each host.
Handle connect_any(const Target& target, std::size_t& first, std::chrono::milliseconds each, const Stopped& stopped);

}  // namespace postern::store::postgres
