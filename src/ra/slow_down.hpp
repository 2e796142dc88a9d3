#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"

namespace postern::ra {

/// Wrong credentials of one source, each with what else tells it from its neighbours: a key with SCEP (S06), a user name with
/// EST. Each after the third doubles the time for which that pair, and no other, is refused without a look: fleets sit behind
/// one address, so neither an address nor an endpoint is ever shut out. In this node's memory; the oldest pairs are forgotten first. Thread safe.
class SlowDown {
public:
    static constexpr int free_tries = 3;
    static constexpr std::chrono::seconds longest{60};
    static constexpr std::size_t most_pairs = 16 * 1024;

    explicit SlowDown(const core::Clock& clock) : clock_(clock) {}
    /// How long `pair` must wait; nullopt: it may try.
    [[nodiscard]] std::optional<std::chrono::seconds> wait(const std::string& pair) const;
    void wrong(const std::string& pair);
    void right(const std::string& pair);

private:
    struct Tries {
        int wrong = 0;
        core::SteadyPoint until{};
        std::uint64_t turn = 0;
    };
    const core::Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, Tries> tries_;
    std::map<std::uint64_t, std::string> by_age_;
    std::uint64_t turn_ = 0;
};

}  // namespace postern::ra
