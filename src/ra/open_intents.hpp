#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/ids.hpp"

namespace postern::ra {

/// The intents that this node answers for: those that are being worked on now, which no sweeper of
/// this node may touch, and those that were left without an outcome, which it settles without
/// waiting for their age. Thread safe.
class OpenIntents {
    struct State;

public:
    /// The work on one enrollment. What ends without conclude() (a fault, a store that is away, a
    /// cancelled wait) is left to the sweeper.
    class Hold {
    public:
        Hold(std::shared_ptr<State> state, core::EnrollmentId id) noexcept : state_(std::move(state)), id_(id) {}
        Hold(Hold&& other) noexcept = default;
        Hold& operator=(Hold&&) = delete;
        ~Hold();
        /// It has its outcome, or there is no intent.
        void conclude() noexcept;

    private:
        std::shared_ptr<State> state_;  ///< null: concluded or moved from
        core::EnrollmentId id_;
    };

    OpenIntents();
    /// A new enrollment's, before its intent is written.
    Hold begin(core::EnrollmentId id);
    /// For the sweeper; nullopt: it is being worked on.
    std::optional<Hold> take(core::EnrollmentId id);
    /// Leaves intents of an earlier life to the sweeper.
    void leave(const std::vector<core::EnrollmentId>& ids);
    /// How many are being worked on.
    [[nodiscard]] std::size_t held() const;
    /// What was left, oldest first.
    [[nodiscard]] std::vector<core::EnrollmentId> left(std::size_t at_most) const;

private:
    std::shared_ptr<State> state_;  ///< shared: a hold may outlive its house by a stopping session
};

}  // namespace postern::ra
