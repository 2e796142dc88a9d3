#pragma once
#include <atomic>
#include <functional>

#include "acme/nonces.hpp"
#include "core/base/clock.hpp"
#include "core/crypto/sealer.hpp"
#include "store/database.hpp"
#include "store/lease.hpp"

namespace postern::acme {

/// For several nodes on one database. A nonce is the epoch, the second of its issue and a number under a
/// MAC whose key all nodes derive from the master key: issuing it costs no write, and a stranger's
/// inventions never reach the database. Redeeming adds one row, which on PostgreSQL is not logged.
///
/// The epoch is a row that shares the fate of those rows. Where the database server crashed, or failed over
/// to a standby, both are gone, and a new epoch refuses whatever was issued before.
class FleetNonces final : public Nonces {
public:
    /// How long a nonce is good. What a client kept for longer answers badNonce, with a fresh one.
    static constexpr std::chrono::minutes lifetime{10};
    /// How far nodes' clocks may be apart.
    static constexpr std::chrono::minutes tolerance{5};

    struct Deps {
        store::Database& db;
        const crypto::Sealer& sealer;
        core::Random& random;
        const core::Clock& clock;
        std::string node;  ///< holds the lease of those who forget old ones
        /// Whether `clock` can be believed.
        std::function<bool()> clock_agrees = [] { return true; };
    };
    explicit FleetNonces(Deps deps);

    /// Learns the epoch, or begins one, also where a clock that ran ahead had it refuse all of today. Before the
    /// first issue(), and then each second. Throws StoreUnavailable.
    core::Task<void> refresh();
    core::Task<std::string> issue() override;
    /// Throws StoreUnavailable.
    core::Task<bool> redeem(std::string nonce) override;
    /// Forgets what is too old to come again, as the one node that holds the lease; how many portions of a
    /// thousand rows are gone. Every half minute. Throws StoreUnavailable.
    core::Task<std::size_t> forget();

private:
    struct Parts {
        std::int64_t epoch = 0, second = 0;
        core::Bytes number;
    };
    [[nodiscard]] core::Bytes seal(const Parts& parts) const;
    [[nodiscard]] std::optional<Parts> open(const std::string& nonce) const;
    [[nodiscard]] std::int64_t second() const;
    /// Whether nothing is accepted that was issued before a second that lies in the future.
    [[nodiscard]] bool refuses_today(std::int64_t oldest) const;

    Deps deps_;
    core::SecretBytes key_;
    core::Bytes process_;  ///< begins the numbers of this process
    std::atomic<std::uint64_t> next_{0};
    std::atomic<std::int64_t> epoch_{0};  ///< 0: not known yet
    store::Lease lease_;
    // What the round before saw refused already; forget()'s own.
    std::int64_t seen_epoch_ = 0, seen_limit_ = 0;
};

}  // namespace postern::acme
