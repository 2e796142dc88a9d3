#pragma once
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/async/run_on.hpp"
#include "core/async/task.hpp"
#include "core/base/result.hpp"

namespace postern::core {

/// Threads for whatever costs 0.3 ms or more (RSA private keys, CRLs, KDFs), so that no I/O thread
/// stalls. Running and waiting work together are bounded: full answers `unavailable` with
/// retry_after at once. Work that was taken runs to its end and is awaited, also by a caller that is cancelled.
class CpuPool {
public:
    /// What the system's tools call each of the threads.
    static constexpr const char* thread_name = "cpu pool";

    CpuPool(std::size_t threads, std::size_t queue_limit);
    ~CpuPool();
    CpuPool(const CpuPool&) = delete;
    CpuPool& operator=(const CpuPool&) = delete;

    /// What run() gives for a function that returns R: Result<R>, and R itself when it is a Result.
    template <class R>
    struct Answer {
        using type = Result<R>;
    };
    template <class T>
    struct Answer<ResultOf<T>> {
        using type = ResultOf<T>;
    };

    /// Runs `fn` on the pool and resumes on the caller's executor. An exception of `fn` comes back.
    /// Fn's result must be default constructible or void (Asio 1.81).
    template <class Fn>
    Task<typename Answer<std::invoke_result_t<Fn&>>::type> run(Fn fn) {
        using R = std::invoke_result_t<Fn&>;
        auto place = enter();
        if (!place) co_return overloaded();
        auto body = run_body<Fn, R>(std::move(*place), std::move(fn));
        auto running = run_on(pool_, std::move(body));
        if constexpr (std::is_void_v<R>) {
            co_await std::move(running);
            co_return Result<void>();
        } else {
            co_return co_await std::move(running);
        }
    }
    void join();

private:
    CpuPool(std::in_place_t, std::size_t threads, std::size_t queue_limit);

    /// A place in the queue, given back when the work's frame ends: also when it never ran.
    class Place {
    public:
        explicit Place(CpuPool& pool) noexcept : pool_(&pool) {}
        Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (pool_ != nullptr) pool_->queued_.fetch_sub(1, std::memory_order_relaxed);
        }

    private:
        CpuPool* pool_;
    };
    template <class Fn, class R>
    static Task<R> run_body(Place place, Fn fn) {
        const Place held(std::move(place));
        co_return fn();
    }
    std::optional<Place> enter() noexcept;
    static Problem overloaded();

    std::atomic<std::size_t> queued_{0};
    std::size_t limit_;
    boost::asio::thread_pool pool_;  // last: its threads end before the counter does
};

}  // namespace postern::core
