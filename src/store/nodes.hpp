#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "store/database.hpp"

namespace postern::store {

/// Who works on this database. A life is one run of one server; an intent is marked with the life that
/// works on it, so that others can tell work in progress from what was left behind. This decides only who
/// tries: an outcome proves by the serial of its intent that nobody took that over.
class Lives {
public:
    virtual ~Lives() = default;
    [[nodiscard]] virtual std::int64_t own() const noexcept = 0;
    /// Nobody works under that life any more, as far as this node saw until now. nullopt: unknown whose
    /// work it is. Thread safe.
    [[nodiscard]] virtual bool gone(std::optional<std::int64_t> life) const = 0;
    /// Looks at the others; to be called after reading what they left. Throws StoreUnavailable.
    virtual core::Task<void> observe() = 0;
};

/// A positive number that no other process draws.
std::int64_t draw_life(core::Random& random);

/// No other server uses this database: the data folder's lock stands for it.
class OnlyNode final : public Lives {
public:
    explicit OnlyNode(core::Random& random) : life_(draw_life(random)) {}
    [[nodiscard]] std::int64_t own() const noexcept override { return life_; }
    [[nodiscard]] bool gone(std::optional<std::int64_t> life) const override { return life != life_; }
    core::Task<void> observe() override { co_return; }

private:
    std::int64_t life_;
};

/// One of several nodes. Each raises a number in its row every `beat_every`; who sees it stand still
/// through `looks` looks of its own, that far apart, takes that life to be over. So no two clocks are
/// ever compared, and a machine that stood still itself does not take the others' silence for death.
class NodeRegistry final : public Lives {
public:
    static constexpr std::chrono::seconds beat_every{2};
    static constexpr int looks = 5;

    struct Self {
        Self() = default;
        std::string name;  ///< the same over its restarts, and no other data folder's
        std::string address, version;  ///< for people
    };
    NodeRegistry(Database& db, const core::Clock& clock, core::Random& random, Self self);

    /// Takes the place of this node's earlier life, which is gone from now on. Before the first intent.
    core::Task<void> join();
    /// replaced: another process joined under this node's name and lives; its row is left alone. reborn: this node's row was
    /// gone, or its taker's life is over, and it has begun a new life; what its earlier one worked on is for others to take over.
    enum class Beat { alive, reborn, replaced };
    /// Every `beat_every`.
    core::Task<Beat> beat();
    /// Whether observe() saw another life end since this was asked last. Thread safe.
    [[nodiscard]] bool take_ended() noexcept { return ended_.exchange(false); }
    /// The last thing of a life that ends in order: what it leaves is taken over without waiting. Nothing
    /// for one that never joined.
    core::Task<void> leave();

    [[nodiscard]] std::int64_t own() const noexcept override { return life_.load(); }
    [[nodiscard]] bool gone(std::optional<std::int64_t> life) const override;
    core::Task<void> observe() override;

private:
    [[nodiscard]] bool silent(std::int64_t life) const;
    struct Seen {
        std::int64_t beat = 0;
        int still = 0;  ///< looks at which the beat was the same
    };
    Database& db_;
    const core::Clock& clock_;
    core::Random& random_;
    Self self_;
    std::atomic<std::int64_t> life_;
    bool joined_ = false;
    std::atomic<bool> ended_{false};
    mutable std::mutex mutex_;  ///< guards what follows; never held across a suspension
    std::map<std::int64_t, Seen> others_;
    core::SteadyPoint counted_{};
};

}  // namespace postern::store
