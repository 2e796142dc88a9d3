#include "ra/poller.hpp"

#include "core/async/crew.hpp"
#include "core/async/deadline.hpp"

namespace postern::ra {

using core::Task;

namespace {

constexpr std::chrono::seconds pause(1), longest_pause(16);
constexpr std::size_t at_once = 16;
constexpr std::int64_t page = 64;

}  // namespace

struct Poller::Work {
    std::vector<store::SubmissionRow> rows;
    std::size_t asked = 0;
};

Poller::Poller(Deps deps)
    : deps_(std::move(deps)), lease_(deps_.db, deps_.clock, "poller", deps_.node),
      held_(deps_.metrics.gauge("postern_requests_held", "Requests that wait for an officer")) {}

Task<void> Poller::start() {
    store::Batch batch;
    batch.add(store::submission_abandoned, store::values(deps_.node, deps_.clock.now()), store::Expect::any);
    const auto written = co_await deps_.db.write(std::move(batch));
    written.value();
}

Task<void> Poller::run() {
    for (auto wait = pause;;) {
        co_await core::sleep_for(wait);
        std::string failure;
        try {
            co_await round();
        } catch (const std::exception& e) {
            failure = e.what();
        }
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        wait = failure.empty() ? pause : std::min(wait * 2, longest_pause);
        if (!failure.empty()) deps_.log.warning("poller_waits", {{"why", failure}, {"retry_seconds", wait.count()}});
    }
}

Task<std::size_t> Poller::round() {
    const bool held = co_await lease_.hold();
    if (!held) co_return 0;
    auto none = store::values();
    const auto waiting = co_await store::read_one(deps_.db, store::submission_held_count, std::move(none));
    held_.set(static_cast<double>(waiting->integer(0)));
    const auto revocations = co_await deps_.revocation.ask_due(page);
    auto due = store::values(deps_.clock.now(), page);
    const auto found = co_await deps_.db.read(store::submission_due, std::move(due));
    if (found.empty()) co_return revocations;
    const auto work = std::make_shared<Work>();
    for (const auto& row : found) work->rows.push_back(store::SubmissionRow::from(row));
    auto crew = core::run_crew(deps_.tasks, work->rows.size(), at_once, [this, work](std::size_t index) { return ask_one(work, index); });
    co_await std::move(crew);
    co_return work->asked + revocations;
}

Task<void> Poller::ask_one(std::shared_ptr<Work> work, std::size_t index) {
    auto row = work->rows[index];
    const auto enrollment = row.enrollment;
    std::string failure;
    try {
        const bool asked = co_await deps_.enrollment.ask(std::move(row));
        if (asked) ++work->asked;
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) deps_.log.warning("submission_unasked", {{"enrollment", enrollment.get()}, {"why", failure}});
}

}  // namespace postern::ra
