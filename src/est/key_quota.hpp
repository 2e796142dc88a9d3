#pragma once
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "core/base/clock.hpp"
#include "core/base/ids.hpp"

namespace postern::est {

/// How many keys an account has had made in the hour that ends now: each costs up to seconds of the pool. In this node's
/// memory. Thread safe.
class KeyQuota {
public:
    static constexpr std::chrono::hours period{1};

    explicit KeyQuota(const core::Clock& clock) : clock_(clock) {}
    /// Counts one more; or says how long none is made.
    [[nodiscard]] std::optional<std::chrono::seconds> take(core::AccountId account, unsigned most);

private:
    const core::Clock& clock_;
    std::mutex mutex_;
    std::map<core::AccountId, std::deque<core::SteadyPoint>> made_;
};

}  // namespace postern::est
