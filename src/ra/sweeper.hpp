#pragma once
#include "core/async/task_group.hpp"
#include "ra/enrollment.hpp"
#include "store/lease.hpp"

namespace postern::ra {

/// Gives every intent an outcome without a restart (design §4). Two kinds of intents are due:
///
/// - those that this node knows to be abandoned: its own requests that ended in a fault or found the
///   store away, and at the start whatever lives left that are over. They need no age and no lease.
/// - those of nodes whose life ended meanwhile (store/nodes.hpp), and those that no node has touched for
///   longer than any request can live. One node at a time looks for them, under a lease.
///
/// Neither touches what a request of this node is working on. That a life is over is a guess: another
/// node that wakes up late with an outcome finds its serial given up, and its batch is a conflict
/// (enrollment_issued).
class Sweeper {
public:
    struct Deps {
        store::Database& db;
        Enrollment& enrollment;
        const ca::Backends& backends;
        core::TaskGroup& tasks;
        const core::Clock& clock;
        observe::Log& log;
        observe::Metrics& metrics;
        std::string node;  ///< names this node over its restarts
        store::Lives& lives;
    };
    explicit Sweeper(Deps deps);

    /// Before the listeners open: remembers what an earlier life left, and settles the first
    /// `before_listening` of it. The rest is settled by run(), while their orders say "processing":
    /// so the start takes the same time however many there are. Returns how many were settled.
    core::Task<std::size_t> start();
    /// A round every two seconds, until it is cancelled.
    core::Task<void> run();
    /// What is due now; how many were settled.
    core::Task<std::size_t> round();

    static constexpr std::size_t before_listening = 128;
private:
    struct Work;
    core::Task<std::size_t> settle(std::vector<core::EnrollmentId> ids, const store::Lease* lease);
    core::Task<void> settle_one(std::shared_ptr<Work> work, std::size_t index);
    core::Task<std::vector<core::EnrollmentId>> abandoned();
    core::Task<void> publish();
    /// Challenges and their uses that nobody could present any more.
    core::Task<void> forget();

    Deps deps_;
    store::Lease lease_;
    core::SteadyPoint next_look_{};  ///< for what is aged
    core::SteadyPoint next_forget_{};
    bool unpublished_ = false;
    std::size_t failed_ = 0;  ///< of the last round: what it could not settle
    observe::Counter settled_;
    observe::Gauge left_;
};

}  // namespace postern::ra
