#include "core/async/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <mutex>

namespace postern::core {
namespace asio = boost::asio;

namespace {

/// One running task. Its signal is touched on its own executor only.
struct Running {
    explicit Running(Executor e) : executor(std::move(e)) {}
    Executor executor;
    asio::cancellation_signal signal;
    bool started = false;
    bool cancelled = false;

    void stop() {
        cancelled = true;
        if (started) signal.emit(asio::cancellation_type::terminal);
    }
};

/// Somebody in drained(): a timer that the last task to leave cuts short.
struct Waiter {
    Waiter(const Executor& e, Deadline at) : executor(e), timer(e, at) {}
    Executor executor;
    asio::steady_timer timer;
};

using RunningPtr = std::shared_ptr<Running>;
using WaiterPtr = std::shared_ptr<Waiter>;

}  // namespace

struct TaskGroup::State {
    explicit State(OnFault f) : on_fault(std::move(f)) {}

    OnFault on_fault;
    mutable std::mutex mutex;
    bool closed = false;
    std::list<RunningPtr> running;
    std::list<WaiterPtr> waiters;

    void leave(std::list<RunningPtr>::iterator at) {
        const std::lock_guard lock(mutex);
        running.erase(at);
        if (!running.empty()) return;
        for (const WaiterPtr& waiter : waiters)
            asio::post(waiter->executor, [waiter] { waiter->timer.cancel(); });
        waiters.clear();
    }

    void report(const std::exception_ptr& failure, bool cancelled) const {
        try {
            std::rethrow_exception(failure);
        } catch (const boost::system::system_error& e) {
            if (cancelled && e.code() == asio::error::operation_aborted) return;
            on_fault(e.what());
        } catch (const std::exception& e) {
            on_fault(e.what());
        } catch (...) {
            on_fault("an exception of unknown type");
        }
    }
};

TaskGroup::TaskGroup(OnFault on_fault) : state_(std::make_shared<State>(std::move(on_fault))) {}

TaskGroup::~TaskGroup() {
    close();
}

bool TaskGroup::spawn(const Executor& executor, Task<void> task) {
    auto entry = std::make_shared<Running>(executor);
    std::list<RunningPtr>::iterator place;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed) return false;
        place = state_->running.insert(state_->running.end(), entry);
    }
    // Started from its own executor, so that a cancellation from another thread never meets a
    // slot that is being connected.
    asio::post(executor, [state = state_, entry, place, body = std::move(task)]() mutable {
        entry->started = true;
        auto ended = [state, entry, place](const std::exception_ptr& failure) {
            if (failure) state->report(failure, entry->cancelled);
            state->leave(place);
        };
        asio::co_spawn(entry->executor, std::move(body),
                       asio::bind_cancellation_slot(entry->signal.slot(), std::move(ended)));
        if (entry->cancelled) entry->stop();
    });
    return true;
}

void TaskGroup::close() noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
}

void TaskGroup::cancel() {
    const std::lock_guard lock(state_->mutex);
    for (const RunningPtr& entry : state_->running)
        asio::post(entry->executor, [entry] { entry->stop(); });
}

Task<bool> TaskGroup::drained(Deadline at) {
    const auto state = state_;
    const Executor executor = co_await asio::this_coro::executor;
    const auto waiter = std::make_shared<Waiter>(executor, at);
    {
        const std::lock_guard lock(state->mutex);
        if (state->running.empty()) co_return true;
        state->waiters.push_back(waiter);
    }
    co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const std::lock_guard lock(state->mutex);
    state->waiters.remove(waiter);
    co_return state->running.empty();
}

std::size_t TaskGroup::size() const noexcept {
    const std::lock_guard lock(state_->mutex);
    return state_->running.size();
}

}  // namespace postern::core
