#pragma once
#include <set>

#include "core/async/task_group.hpp"
#include "ra/enrollment.hpp"
#include "ra/revocation.hpp"
#include "store/lease.hpp"
#include "store/nodes.hpp"

namespace postern::ra {

/// Asks foreign CAs what became of what they were given: what is pending, what was lost on the way, and revocations
/// that they have not confirmed. One node at
/// a time looks, under a lease; each submission's own fence decides whose answer counts.
class Poller {
public:
    struct Deps {
        store::Database& db;
        Enrollment& enrollment;
        Revocation& revocation;
        core::TaskGroup& tasks;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node;
        store::Lives& lives;
    };
    explicit Poller(Deps deps);

    /// Before the listeners open: what an earlier life of this node was handing over is nobody's work any more.
    core::Task<void> start();
    /// Looks every second, until it is cancelled. A CA that takes its time holds up nobody else's.
    core::Task<void> run();
    /// What is due now, to its end; how many were asked about.
    core::Task<std::size_t> round();

private:
    struct Work;
    /// null: another node looks, or nothing is due.
    core::Task<std::shared_ptr<Work>> due();
    core::Task<void> begin();
    core::Task<void> ask_one(std::shared_ptr<Work> work, std::size_t index);
    /// All that are due at one backend, one after the other.
    core::Task<void> ask_revocations(std::string backend);

    Deps deps_;
    store::Lease lease_;
    observe::Gauge held_;
    observe::Gauge unconfirmed_;
    std::set<std::string> revoking_;  ///< backends that are being asked for revocations: a dead one holds up nobody else's
};

}  // namespace postern::ra
