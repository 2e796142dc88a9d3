#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "core/base/time.hpp"

namespace postern::azure {

/// Keeps calls from an account whose services fail, one after the other or by their own word (Retry-After), so
/// that devices are answered at once and a service that comes back is not buried. One thread.
class Breaker {
public:
    /// How long nobody may ask; nullopt: ask. After the wait one call may try; until it ends the others wait on.
    std::optional<std::chrono::seconds> held(std::int64_t account, core::TimePoint now);
    void succeeded(std::int64_t account);
    /// @param wait what the service asked for, if it did: held for that long at once, an hour at most
    void failed(std::int64_t account, core::TimePoint now, std::optional<std::chrono::seconds> wait);
    /// The call ended and says nothing about the service.
    void undecided(std::int64_t account);
    [[nodiscard]] bool open(std::int64_t account) const;

    static constexpr unsigned failures_in_a_row = 5;
    static constexpr std::chrono::seconds shortest{15}, longest{240}, longest_asked{3600};

private:
    struct State {
        unsigned failures = 0;
        std::chrono::seconds pause = shortest;
        core::TimePoint from{}, until{};
        bool trying = false;
    };
    std::map<std::int64_t, State> states_;
};

}  // namespace postern::azure
