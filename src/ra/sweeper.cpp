#include "ra/sweeper.hpp"

#include "core/async/crew.hpp"
#include "core/async/deadline.hpp"
#include "ra/single_use.hpp"
#include "store/tables/scep_challenge.hpp"

namespace postern::ra {

using core::Task;

namespace {

constexpr std::chrono::seconds pause(2);
/// While nothing can be settled: the store is away.
constexpr std::chrono::seconds longest_pause(16);
/// Between two looks for intents of nodes that are gone.
constexpr std::chrono::seconds look(4);
/// Batches that are written together share a commit.
constexpr std::size_t at_once = 32;
constexpr std::size_t page = 1000;
/// Between two looks for what may be forgotten.
constexpr std::chrono::minutes forget_every(1);
constexpr auto any_age = core::TimePoint::max();

}  // namespace

struct Sweeper::Work {
    Work(std::vector<core::EnrollmentId> i, const store::Lease* l) : ids(std::move(i)), lease(l) {}
    std::vector<core::EnrollmentId> ids;
    const store::Lease* lease;
    std::size_t settled = 0;
};

Sweeper::Sweeper(Deps deps)
    : deps_(std::move(deps)), lease_(deps_.db, deps_.clock, "sweeper", deps_.node),
      settled_(deps_.metrics.counter("postern_intents_settled_total", "Intents without outcome that were given one")),
      left_(deps_.metrics.gauge("postern_intents_left", "Intents without outcome that this node knows of")) {}

Task<std::size_t> Sweeper::start() {
    const auto ids = co_await abandoned();
    deps_.enrollment.intents().leave(ids);
    auto first = deps_.enrollment.intents().left(before_listening);
    const auto settled = co_await settle(std::move(first), nullptr);
    if (unpublished_) co_await publish();
    co_return settled;
}

Task<void> Sweeper::run() {
    for (auto wait = pause;;) {
        co_await core::sleep_for(wait);
        std::string failure;
        try {
            const auto settled = co_await round();
            if (settled == 0 && failed_ > 0) failure = "nothing could be settled";
        } catch (const std::exception& e) {
            failure = e.what();
        }
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        if (failure.empty()) {
            wait = pause;
            continue;
        }
        wait = std::min(wait * 2, longest_pause);
        deps_.log.warning("sweeper_waits", {{"why", failure}, {"retry_seconds", wait.count()}});
    }
}

Task<std::size_t> Sweeper::round() {
    failed_ = 0;
    auto mine = deps_.enrollment.intents().left(page);
    std::size_t settled = co_await settle(std::move(mine), nullptr);
    const auto now = deps_.clock.steady();
    if (now >= next_look_) {
        auto ids = co_await abandoned();
        bool held = false;
        if (!ids.empty()) held = co_await lease_.hold();
        if (held) settled += co_await settle(std::move(ids), &lease_);
        next_look_ = now + look;
    }
    if (unpublished_) co_await publish();
    if (now >= next_forget_) {
        co_await forget();
        next_forget_ = now + forget_every;
    }
    left_.set(static_cast<double>(deps_.enrollment.intents().left(page).size()));
    co_return settled;
}

/// Of lives that are over, or of such an age.
Task<std::vector<core::EnrollmentId>> Sweeper::abandoned() {
    store::Rows open;
    std::int64_t after = 0;
    for (;;) {
        auto from = store::values(after, any_age);
        const auto rows = co_await deps_.db.read(store::enrollment_unsettled, std::move(from));
        if (rows.empty()) break;
        open.insert(open.end(), rows.begin(), rows.end());
        after = rows.back().integer(0);
    }
    std::vector<core::EnrollmentId> ids;
    if (open.empty()) co_return ids;
    // Whoever began one of these had joined before: it is seen now, or it has left.
    co_await deps_.lives.observe();
    const auto aged = deps_.clock.now() - Enrollment::safe_age;
    for (const auto& row : open)
        if (deps_.lives.gone(row.optional_integer(1)) || row.time(2) < aged) ids.push_back(row.id<core::EnrollmentId>(0));
    co_return ids;
}

Task<std::size_t> Sweeper::settle(std::vector<core::EnrollmentId> ids, const store::Lease* lease) {
    if (ids.empty()) co_return 0;
    const auto work = std::make_shared<Work>(std::move(ids), lease);
    auto crew = core::run_crew(deps_.tasks, work->ids.size(), at_once,
                               [this, work](std::size_t index) { return settle_one(work, index); });
    co_await std::move(crew);
    co_return work->settled;
}

Task<void> Sweeper::settle_one(std::shared_ptr<Work> work, std::size_t index) {
    const auto id = work->ids[index];
    auto settled = Enrollment::Settled::untouched;
    std::string failure;
    try {
        settled = co_await deps_.enrollment.settle(id, work->lease);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) {
        ++failed_;
        deps_.log.warning("enrollment_unsettled", {{"enrollment", id.get()}, {"why", failure}});
    }
    if (settled == Enrollment::Settled::untouched) co_return;
    ++work->settled;
    settled_.add();
    unpublished_ = true;
}

Task<void> Sweeper::forget() {
    const auto now = deps_.clock.now();
    store::Batch batch;
    batch.add(store::credential_use_prune, store::values(now), store::Expect::any);
    batch.add(store::scep_challenge_prune, store::values(now - challenge_kept), store::Expect::any);
    const auto written = co_await deps_.db.write(std::move(batch));
    static_cast<void>(written);  // nothing is expected of it
}

/// The serials that were given up are listed on the next CRL.
Task<void> Sweeper::publish() {
    unpublished_ = false;
    for (const auto& [name, backend] : deps_.backends.list()) {
        const auto deadline = core::deadline_in(std::chrono::seconds(5));
        const auto published = co_await backend->publish_revocations(deadline);
        if (!published) deps_.log.error("crl_late", {{"backend", name}, {"why", published.error().detail}});
    }
}

}  // namespace postern::ra
