#pragma once
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <type_traits>

#include "core/async/task.hpp"
#include "core/base/result.hpp"

namespace postern::core {

/// Threads for whatever costs 0.3 ms or more (RSA private keys, CRLs, KDFs), so that no I/O thread
/// stalls. The queue is bounded: full answers `unavailable` with retry_after at once.
class CpuPool {
public:
    CpuPool(std::size_t threads, std::size_t queue_limit);
    ~CpuPool();
    CpuPool(const CpuPool&) = delete;
    CpuPool& operator=(const CpuPool&) = delete;

    /// Runs `fn` on the pool and resumes on the caller's executor. An exception of `fn` comes back.
    /// Fn's result must be default constructible or void (Asio 1.81).
    template <class Fn>
    Task<Result<std::invoke_result_t<Fn&>>> run(Fn fn) {
        using R = std::invoke_result_t<Fn&>;
        if (!enter()) co_return overloaded();
        auto body = run_body<Fn, R>(this, std::move(fn));
        if constexpr (std::is_void_v<R>) {
            co_await boost::asio::co_spawn(pool_, std::move(body), boost::asio::use_awaitable);
            co_return Result<void>();
        } else {
            co_return co_await boost::asio::co_spawn(pool_, std::move(body), boost::asio::use_awaitable);
        }
    }
    void join();

private:
    struct Leave {
        explicit Leave(CpuPool* p) : pool(p) {}
        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        ~Leave() { pool->queued_.fetch_sub(1, std::memory_order_relaxed); }
        CpuPool* pool;
    };
    template <class Fn, class R>
    static Task<R> run_body(CpuPool* self, Fn fn) {
        const Leave leave(self);
        co_return fn();
    }
    bool enter() noexcept;
    static Problem overloaded();

    boost::asio::thread_pool pool_;
    std::atomic<std::size_t> queued_{0};
    std::size_t limit_;
};

}  // namespace postern::core
