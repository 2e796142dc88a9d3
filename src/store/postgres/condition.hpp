#pragma once
#include <atomic>
#include <mutex>
#include <string>

#include "store/postgres/open.hpp"
#include "store/write_metrics.hpp"

namespace postern::store::postgres {

/// How the database fares, as all pools of a node see it together. Thread safe.
class Condition {
public:
    Condition(StoreNotice notice, observe::Metrics& metrics);

    /// Pools that begin and end tell how many connections they want.
    void wanted(int more);
    void connected();
    /// `notice`: it is told of, until all connections are up again.
    void lost(const std::string& why, bool notice);

    /// `away`: it ends when the database answers again, not only with a write that succeeds.
    void set_trouble(std::string why, bool away);
    /// The database answered; `wrote`: a write succeeded.
    void answered(bool wrote);
    [[nodiscard]] std::string trouble() const;
    [[nodiscard]] bool away() const noexcept { return away_; }

private:
    void clear_trouble();

    const StoreNotice notice_;
    observe::Gauge connections_gauge_, writable_;
    observe::Counter losses_;
    std::atomic<bool> troubled_{false}, away_{false};
    mutable std::mutex mutex_;  ///< guards what follows
    int wanted_ = 0, connected_ = 0;
    bool losing_ = false;
    std::string trouble_;
};

}  // namespace postern::store::postgres
