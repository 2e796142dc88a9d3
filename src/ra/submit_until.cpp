#include "ra/submit_until.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "core/base/unavailable.hpp"

namespace postern::ra {
namespace asio = boost::asio;

namespace {

/// Shared by the work and who waits for it; both run on one executor.
struct Submission {
    Submission(const core::Executor& executor, core::Deadline until) : ended(executor, until) {}
    asio::steady_timer ended;
    std::optional<core::Result<EnrollmentOutcome>> outcome;
    std::exception_ptr failure;
};

core::Task<void> work(Enrollment& enrollment, EnrollmentRequest request, std::shared_ptr<Submission> submission) {
    try {
        submission->outcome = co_await enrollment.submit(std::move(request));
    } catch (...) {
        submission->failure = std::current_exception();
    }
    submission->ended.cancel();
    // Nobody waits any more: the group's log is where the fault is told.
    if (submission->failure && submission.use_count() == 1) std::rethrow_exception(submission->failure);
}

}  // namespace

core::Task<std::optional<core::Result<EnrollmentOutcome>>> submit_until(Enrollment& enrollment, core::TaskGroup& tasks, EnrollmentRequest request,
                                                                        core::Deadline until) {
    const core::Executor executor = co_await asio::this_coro::executor;
    const auto submission = std::make_shared<Submission>(executor, until);
    auto task = work(enrollment, std::move(request), submission);
    if (!tasks.spawn(executor, std::move(task))) throw core::Unavailable("the server is stopping");
    co_await submission->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    if (submission->failure) std::rethrow_exception(submission->failure);
    co_return submission->outcome;
}

}  // namespace postern::ra
