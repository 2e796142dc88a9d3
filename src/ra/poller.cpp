#include "ra/poller.hpp"

#include <algorithm>
#include <utility>

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
      held_(deps_.metrics.gauge("postern_requests_held", "Requests that wait for an officer")),
      unconfirmed_(deps_.metrics.gauge("postern_revocations_unconfirmed", "Revocations that foreign CAs have not confirmed")) {}

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
            co_await begin();
        } catch (const std::exception& e) {
            failure = e.what();
        }
        const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != boost::asio::cancellation_type::none) co_return;
        wait = failure.empty() ? pause : std::min(wait * 2, longest_pause);
        if (!failure.empty()) deps_.log.warning("poller_waits", {{"why", failure}, {"retry_seconds", wait.count()}});
    }
}

Task<std::shared_ptr<Poller::Work>> Poller::due() {
    const bool held = co_await lease_.hold();
    if (!held) co_return nullptr;
    auto none = store::values();
    const auto waiting = co_await store::read_one(deps_.db, store::submission_held_count, std::move(none));
    held_.set(static_cast<double>(waiting->integer(0)));
    auto all = store::values();
    const auto unconfirmed = co_await store::read_one(deps_.db, store::revocation_request_count, std::move(all));
    unconfirmed_.set(static_cast<double>(unconfirmed->integer(0)));
    auto until = store::values(deps_.clock.now(), page);
    const auto found = co_await deps_.db.read(store::submission_due, std::move(until));
    const auto work = std::make_shared<Work>();
    for (const auto& row : found) work->rows.push_back(store::SubmissionRow::from(row));
    // Whoever hands one of these over had joined before: it is seen now, or it has left.
    const bool handed_over = std::ranges::any_of(work->rows, [](const store::SubmissionRow& row) { return row.state == "sent"; });
    if (handed_over) co_await deps_.lives.observe();
    co_return work;
}

Task<std::size_t> Poller::round() {
    const auto work = co_await due();
    if (!work) co_return 0;
    auto crew = core::run_crew(deps_.tasks, work->rows.size(), at_once, [this, work](std::size_t index) { return ask_one(work, index); });
    co_await std::move(crew);
    const auto backends = co_await deps_.revocation.backends_due();
    for (const auto& backend : backends) {
        std::string name = backend;
        const auto asked = co_await deps_.revocation.ask_due(std::move(name), page);
        work->asked += asked;
    }
    co_return work->asked;
}

/// Each as a task of its own: it takes its submission first, so that the next look does not find it.
Task<void> Poller::begin() {
    const auto work = co_await due();
    if (!work) co_return;
    const core::Executor executor = co_await boost::asio::this_coro::executor;
    for (std::size_t index = 0; index < work->rows.size(); ++index) deps_.tasks.spawn(executor, ask_one(work, index));
    const auto backends = co_await deps_.revocation.backends_due();
    for (const auto& backend : backends)
        if (revoking_.insert(backend).second) deps_.tasks.spawn(executor, ask_revocations(backend));
}

Task<void> Poller::ask_revocations(std::string backend) {
    std::string failure;
    try {
        co_await deps_.revocation.ask_due(backend, page);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    revoking_.erase(backend);
    if (!failure.empty()) deps_.log.warning("revocations_unasked", {{"backend", backend}, {"why", failure}});
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
