#include "core/async/cpu_pool.hpp"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <latch>
#include <memory>

namespace postern::core {

CpuPool::CpuPool(std::size_t threads, std::size_t queue_limit) : CpuPool(std::in_place, threads == 0 ? 1 : threads, queue_limit) {}

CpuPool::CpuPool(std::in_place_t, std::size_t threads, std::size_t queue_limit) : limit_(queue_limit), pool_(threads) {
    // Each task waits for the others, so that every thread runs exactly one.
    const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(threads));
    for (std::size_t i = 0; i < threads; ++i)
        boost::asio::post(pool_, [all] {
            ::pthread_setname_np(::pthread_self(), thread_name);
            all->arrive_and_wait();
        });
}

CpuPool::~CpuPool() {
    join();
}

void CpuPool::join() {
    pool_.join();
}

std::optional<CpuPool::Place> CpuPool::enter() noexcept {
    if (queued_.fetch_add(1, std::memory_order_relaxed) >= limit_) {
        queued_.fetch_sub(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    return std::optional<Place>(std::in_place, *this);
}

Problem CpuPool::overloaded() {
    Problem full(ProblemKind::unavailable, "the server is busy with other signatures; try again in a few seconds");
    full.retry_after = std::chrono::seconds(5);
    return full;
}

}  // namespace postern::core
