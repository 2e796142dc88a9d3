#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace postern::ra {

/// Why this installation issues nothing at the moment, whoever asks. Reasons are named like policy
/// checks ("restore.open"), come and go on their own, and each holds the gate shut while it is there. Policy asks
/// first of all, newOrder asks early, `/readyz` shows them. Reading answers, CRLs and revocations
/// go on. Thread safe; an open gate costs a request one atomic load.
class IssuingGate {
public:
    struct Reason {
        Reason() = default;
        Reason(std::string c, std::string w, std::chrono::seconds r) : check(std::move(c)), why(std::move(w)), retry_after(r) {}
        std::string check;                    ///< name of the refusing check
        std::string why;                      ///< for the person who reads the refusal
        std::chrono::seconds retry_after{0};  ///< what clients are told
        /// What a refused request gets: unavailable, naming the check.
        [[nodiscard]] core::Problem problem() const;
    };
    IssuingGate() = default;
    IssuingGate(const IssuingGate&) = delete;
    IssuingGate& operator=(const IssuingGate&) = delete;

    /// Shuts the gate for this reason; the same check again replaces what it said.
    void shut(Reason reason);
    /// Takes a reason away; others keep the gate shut.
    void open(std::string_view check);
    /// The first reason by name, or nullopt: open.
    [[nodiscard]] std::optional<Reason> shut_by() const;
    /// All of them, by name.
    [[nodiscard]] std::vector<Reason> reasons() const;

private:
    std::atomic<bool> shut_{false};  ///< whether reasons_ has any
    mutable std::mutex mutex_;       ///< never held across a suspension
    std::map<std::string, Reason, std::less<>> reasons_;
};

}  // namespace postern::ra
