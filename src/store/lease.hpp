#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "store/database.hpp"

namespace postern::store {

/// Periodic work that one node at a time does (design §5): a row of `lease` with who holds it, until
/// when, and a number that rises with every change of holder. Expiry is judged by the nodes' own
/// clocks and decides only who tries; what must not happen twice proves by guard() that nobody else
/// has taken the lease since. For one caller at a time.
class Lease {
public:
    /// How far nodes' clocks may be apart. A lease that lasts for longer than its time and this is none.
    static constexpr std::chrono::minutes tolerance{5};

    /// `holder` names the node over its restarts: a node takes back at once what its earlier life held.
    Lease(Database& db, const core::Clock& clock, std::string name, std::string holder,
          std::chrono::milliseconds time = std::chrono::seconds(15));

    /// True: this node holds it, for two thirds of its time at least. Takes it when it is free,
    /// renews it when a third of its time has passed. Throws StoreUnavailable.
    core::Task<bool> hold();
    /// Adds the proof: a batch of a holder that was overtaken is a conflict. After hold() only.
    void guard(Batch& batch) const;

    /// The fencing number; 0: not held.
    [[nodiscard]] std::int64_t fence() const noexcept { return fence_; }

private:
    core::Task<bool> take();
    core::Task<bool> renew();

    Database& db_;
    const core::Clock& clock_;
    std::string name_, holder_;
    std::chrono::milliseconds time_;
    std::int64_t fence_ = 0;
    core::TimePoint expires_{};
};

}  // namespace postern::store
