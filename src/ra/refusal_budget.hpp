#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"

namespace postern::ra {

/// How many refusals are worth a row of the store, where anybody can cause them: some of each source (http::source_of) at once and then one
/// at a time, and the same of all sources together. In this node's memory, of which a source that was quiet for long takes none. Thread safe.
class RefusalBudget {
public:
    struct Bounds {
        int of_source, of_all;                               ///< at once
        std::chrono::seconds source_again, all_again;        ///< until there is one more
    };
    static constexpr std::size_t most_sources = 4096;
    /// What was worth none, since there was the last row that tells.
    struct LeftOut {
        LeftOut() = default;
        std::int64_t of_source = 0;
        std::int64_t of_others = 0;  ///< of sources that were quiet so long that they are forgotten
    };

    RefusalBudget(const core::Clock& clock, Bounds bounds) : clock_(clock), bounds_(bounds), all_(bounds.of_all, clock.steady()) {}
    RefusalBudget(const RefusalBudget&) = delete;
    RefusalBudget& operator=(const RefusalBudget&) = delete;
    /// nullopt: not this one; else what the row is to tell.
    [[nodiscard]] std::optional<LeftOut> take(const std::string& source);

private:
    struct Purse {
        Purse(int count, core::SteadyPoint t) : left(count), at(t) {}
        int left;
        core::SteadyPoint at;  ///< since when the next one is earned
        std::int64_t left_out = 0;
        std::uint64_t turn = 0;
    };
    static void earn(Purse& purse, int most, std::chrono::seconds each, core::SteadyPoint now);

    const core::Clock& clock_;
    Bounds bounds_;
    std::mutex mutex_;
    Purse all_;
    std::map<std::string, Purse> sources_;
    std::map<std::uint64_t, std::string> by_age_;
    std::uint64_t turn_ = 0;
    std::int64_t forgotten_ = 0;  ///< left out, of sources that are not in the map any more
};

}  // namespace postern::ra
