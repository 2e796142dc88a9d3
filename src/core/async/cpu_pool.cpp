#include "core/async/cpu_pool.hpp"

namespace postern::core {

CpuPool::CpuPool(std::size_t threads, std::size_t queue_limit)
    : limit_(queue_limit), pool_(threads == 0 ? 1 : threads) {}

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
