#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "core/async/task.hpp"

namespace postern::store {

/// A suspended coroutine that another thread resumes later, on the coroutine's own executor; that
/// executor does not run out of work meanwhile. Resume it before its execution context is
/// destroyed. A waiter that is dropped ends its coroutine without resuming it.
template <class... Args>
class Waiter {
public:
    template <class Handler>
    explicit Waiter(Handler handler)
        : executor_(boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                        boost::asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler)) {}

    /// Once, from any thread.
    void resume(Args... args) {
        const core::Executor executor = std::exchange(executor_, core::Executor());
        boost::asio::post(executor, [handler = std::move(handler_), ... values = std::move(args)]() mutable {
            handler(std::move(values)...);
        });
    }

    /// For several waiters of one executor, resumed by one post: whose turn it is runs on `executor`
    /// already and calls now(). Keep the executor until then.
    [[nodiscard]] const core::Executor& executor() const noexcept { return executor_; }
    void now(Args... args) { std::move(handler_)(std::move(args)...); }

private:
    core::Executor executor_;
    boost::asio::any_completion_handler<void(Args...)> handler_;
};

/// Resumes what finished together with one post an executor: waking a thread for each would have it sleep
/// and wake as often. `executor_of(item)` is its waiter's, `now(item)` resumes it.
template <class Item, class ExecutorOf, class Now>
void resume_together(std::vector<Item>& items, ExecutorOf executor_of, Now now) {
    std::vector<std::vector<Item>> groups;
    for (Item& item : items) {
        const auto same = [&](const std::vector<Item>& group) { return executor_of(group.front()) == executor_of(item); };
        auto group = std::find_if(groups.begin(), groups.end(), same);
        if (group == groups.end()) group = groups.emplace(groups.end());
        group->push_back(std::move(item));
    }
    items.clear();
    for (std::vector<Item>& group : groups) {
        const core::Executor executor = executor_of(group.front());
        boost::asio::post(executor, [together = std::move(group), now]() mutable {
            std::exception_ptr thrown;
            for (Item& item : together) {
                try {
                    now(item);
                } catch (...) {
                    thrown = std::current_exception();  // the others are owed their turn
                }
            }
            if (thrown) std::rethrow_exception(thrown);
        });
    }
}

}  // namespace postern::store
