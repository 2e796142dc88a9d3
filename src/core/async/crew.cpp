#include "core/async/crew.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace postern::core {
namespace asio = boost::asio;

namespace {

/// One executor runs one thing at a time, so the workers share this without a lock.
struct Crew {
    Crew(const Executor& executor, std::size_t n, std::function<Task<void>(std::size_t)> work)
        : count(n), each(std::move(work)), ended(executor, Deadline::max()) {}
    std::size_t count;
    std::size_t next = 0;
    std::size_t working = 0;
    std::function<Task<void>(std::size_t)> each;
    std::exception_ptr failure;
    asio::steady_timer ended;
};

/// Counts a worker, whichever way it ends.
class Working {
public:
    explicit Working(Crew& crew) : crew_(crew) {}
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;
    ~Working() {
        if (--crew_.working == 0) crew_.ended.cancel();
    }

private:
    Crew& crew_;
};

Task<void> work(std::shared_ptr<Crew> crew) {
    const Working counted(*crew);
    while (crew->next < crew->count) {
        const auto index = crew->next++;
        try {
            auto item = crew->each(index);
            co_await std::move(item);
        } catch (...) {
            if (!crew->failure) crew->failure = std::current_exception();
        }
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) co_return;
    }
}

}  // namespace

Task<void> run_crew(TaskGroup& group, std::size_t count, std::size_t at_once, std::function<Task<void>(std::size_t)> each) {
    const Executor executor = co_await asio::this_coro::executor;
    const auto crew = std::make_shared<Crew>(executor, count, std::move(each));
    for (std::size_t i = 0; i < std::min(count, at_once); ++i) {
        ++crew->working;
        if (!group.spawn(executor, work(crew))) --crew->working;
    }
    if (crew->working > 0) co_await crew->ended.async_wait(asio::as_tuple(asio::use_awaitable));
    if (crew->failure) std::rethrow_exception(crew->failure);
}

}  // namespace postern::core
