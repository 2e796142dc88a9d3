#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/fail_point.hpp"
#include "core/base/result.hpp"

namespace postern::app {

/// What POSTERN_FAIL asks for: a list of POINT[@N]:VERB, separated by commas. POINT is one of
/// core::fail_points; VERB is kill (SIGKILL), error (throw), stall (never return) or freeze (SIGSTOP: the
/// whole process goes on there after a SIGCONT). With @N only
/// the N-th passage of the point since the start is meant, else every one.
class FaultPlan {
public:
    enum class Verb { kill, error, stall, freeze };

    FaultPlan() = default;
    /// The error says what is wrong and what would be right.
    core::Result<void> read(std::string_view text);
    [[nodiscard]] bool armed(std::string_view point) const noexcept;
    /// Counts a passage; what is planned for it. Thread safe.
    [[nodiscard]] std::optional<Verb> pass(std::string_view point) noexcept;

private:
    struct Entry {
        std::size_t point;
        std::uint64_t passage;  ///< 0: every one
        Verb verb;
    };
    std::vector<Entry> entries_;
    std::array<std::atomic<std::uint64_t>, core::fail_points.size()> passages_{};
};

/// The process's own. core::fail_point is a free function, so what it obeys is the program's.
FaultPlan& fault_plan() noexcept;

}  // namespace postern::app
