#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ca/builtin/authority.hpp"
#include "core/async/cpu_pool.hpp"
#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/crypto/certificate_template.hpp"
#include "core/observe/log.hpp"
#include "core/observe/metrics.hpp"
#include "store/database.hpp"
#include "store/lease.hpp"

namespace postern::ca {

/// A signed CRL as it is served. Immutable.
struct PublishedCrl {
    PublishedCrl() = default;
    std::int64_t number = 0;
    core::TimePoint this_update{}, next_update{};
    core::Bytes der;
};

/// A number that this node has published and the database no longer knows.
struct LostNumber {
    LostNumber() = default;
    std::string key_id;
    std::int64_t published = 0, stored = 0;
};

/// Keeps a full CRL of each authority: signed, stored, then served from memory. One task does all
/// the signing; reading is paged, building and signing run on the pool.
///
/// Several nodes: each signs on its own demand, and the holder of a lease before a CRL runs out. Whoever
/// signs takes the number that follows the one it read before the entries; if somebody else took it, all
/// is read again. So numbers rise, and no CRL lacks what an earlier one lists. Others' CRLs are
/// served within a second. The holder of the lease also looks, each minute and when a node was seen to end, whether
/// something is revoked that the newest CRL does not list: that node may have been about to sign for it.
///
/// A number never goes back. Where the database knows a lower one than this node has published, commits were lost: nothing
/// is signed from then on, and what was published is served on, until release().
class CrlSigner : public std::enable_shared_from_this<CrlSigner> {
public:
    struct Deps {
        store::Database& db;
        core::CpuPool& pool;
        core::Executor executor;  ///< runs one thing at a time: no lock guards the task's own state
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node;  ///< holds the lease of who renews CRLs before they run out
    };
    /// `held`: nothing is signed and nothing served until release().
    static std::shared_ptr<CrlSigner> make(const Deps& deps, const Hierarchy& hierarchy, std::chrono::hours lifetime, bool held = false);

    /// Before run(): takes what is stored and signs what is missing or half way through, so that
    /// from then on newest() always answers. Throws what the store throws.
    core::Task<void> load();
    /// The task: signs once at the start unless `relist` says otherwise (a revocation may have been recorded
    /// without being published), on demand, and when half of a CRL's lifetime has passed. Ends by cancellation.
    static core::Task<void> run(std::shared_ptr<CrlSigner> self, bool relist);
    /// Returns when a CRL is served whose reading began after this call; calls that come meanwhile
    /// share one. `unavailable` at the deadline; the signing goes on. Any executor.
    static core::Task<core::Result<void>> publish(std::shared_ptr<CrlSigner> self, core::Deadline deadline);
    /// Signs nothing until release(), and serves on what is held. Any thread.
    void halt() { halted_ = true; }
    /// Which number the database has forgotten, once it was seen. Any thread.
    [[nodiscard]] std::optional<LostNumber> lost_number() const;
    /// From now on that authority has a CRL too; nothing for one that is known. Any thread.
    void add(std::shared_ptr<const Authority> authority);
    /// Looks for what is unlisted at the next second, as the holder of the lease. Any thread.
    void look_soon() { look_soon_ = true; }
    /// Ends the hold, or the halt, and signs a CRL of every authority; else like publish().
    static core::Task<core::Result<void>> release(std::shared_ptr<CrlSigner> self, core::Deadline deadline);
    /// null for an authority that is not ours, and for all while held. Any thread.
    [[nodiscard]] std::shared_ptr<const PublishedCrl> newest(std::string_view key_id) const;
    /// A revocation under that authority was put into a batch: from now on its CRL is signed on
    /// demand too (the root's otherwise is not: it rarely changes). Any thread; false when not ours.
    bool note_revocation(std::string_view key_id);

private:
    struct Slot {
        std::shared_ptr<const Authority> authority;
        std::atomic<bool> on_demand{false};
        // The task's own.
        std::int64_t last_number = 0;    // the highest that was seen
        std::int64_t stored_number = 0;  // the database's, as it was read last
        std::int64_t counted_number = 0;
        std::int64_t counted_entries = 0;  // of the CRL of that number
        std::shared_ptr<const PublishedCrl> published;  // guarded by mutex_
    };
    static constexpr std::uint64_t the_start = 1;  ///< the first request is nobody's
    struct Waiter {
        std::uint64_t wanted;
        boost::asio::steady_timer timer;
    };
    CrlSigner(const Deps& deps, std::chrono::hours lifetime);

    [[nodiscard]] bool due(const Slot& slot) const;
    [[nodiscard]] std::vector<std::shared_ptr<Slot>> slots() const;
    [[nodiscard]] std::shared_ptr<const PublishedCrl> published(const Slot& slot) const;
    void set_published(Slot& slot, std::shared_ptr<const PublishedCrl> crl);
    core::Task<void> read_stored(Slot& slot);
    core::Task<void> follow();
    core::Task<std::string> follow_safely();
    core::Task<bool> may_look();
    core::Task<bool> unlisted(Slot& slot);
    void note_lost(const Slot& slot);
    core::Task<bool> may_renew(const Slot& slot);
    core::Task<void> sign(Slot& slot, bool demanded);
    core::Task<bool> sign_once(Slot& slot);
    core::Task<std::vector<crypto::CrlEntry>> read_entries(const Slot& slot, core::TimePoint earliest);
    core::Task<std::string> round(bool demanded);
    core::Task<bool> wanted(Slot& slot, bool asked, bool looks);
    core::Task<core::Result<void>> wait_for_round(core::Deadline deadline);
    core::Task<core::Result<void>> end_hold(core::Deadline deadline);
    void wake_waiters();

    store::Database& db_;
    core::CpuPool& pool_;
    core::Executor executor_;
    const core::Clock& clock_;
    observe::Log& log_;
    observe::Metrics& metrics_;
    std::chrono::hours lifetime_;
    store::Lease lease_;  ///< the task's own
    std::atomic<bool> held_{false}, halted_{false}, look_soon_{false};
    core::SteadyPoint next_look_;  ///< the task's own
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Slot>> slots_;  // guarded by mutex_; they only come
    std::optional<LostNumber> lost_;  // guarded by mutex_
    // The task's and the waiters' own, on executor_.
    std::uint64_t requested_ = the_start, done_ = 0;
    boost::asio::steady_timer wake_;
    std::vector<Waiter*> waiters_;
};

}  // namespace postern::ca
