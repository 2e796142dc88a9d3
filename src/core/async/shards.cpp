#include "core/async/shards.hpp"

#include <pthread.h>
#include <sched.h>

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/require.hpp>
#include <cerrno>

namespace postern::core {

std::size_t usable_cores() noexcept {
    // The kernel answers EINVAL while the set is smaller than its own: grow until it fits.
    for (std::size_t cpus = 1024; cpus <= 65'536; cpus *= 2) {
        cpu_set_t* set = CPU_ALLOC(cpus);
        if (set == nullptr) break;
        const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
        const bool known = ::sched_getaffinity(0, bytes, set) == 0;
        const int error = errno;
        const int count = known ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return static_cast<std::size_t>(count);
        if (error != EINVAL) break;
    }
    return 1;
}

/// What waits on one shard may own a socket of another, so everything that waits goes before the
/// first context does.
struct Shards::Context : boost::asio::io_context {
    Context() : boost::asio::io_context(1) {}
    using boost::asio::io_context::shutdown;
};

Shards::Shards(std::size_t count) {
    if (count == 0) count = 1;
    for (std::size_t i = 0; i < count; ++i) {
        contexts_.push_back(std::make_unique<Context>());
        work_.emplace_back(boost::asio::require(contexts_.back()->get_executor(),
                                                boost::asio::execution::outstanding_work.tracked));
    }
}

Shards::~Shards() {
    stop();
    for (auto& context : contexts_) context->shutdown();
}

boost::asio::io_context& Shards::at(std::size_t i) noexcept { return *contexts_[i]; }

boost::asio::io_context& Shards::next() noexcept {
    return *contexts_[next_.fetch_add(1, std::memory_order_relaxed) % contexts_.size()];
}

void Shards::start() {
    for (std::size_t i = threads_.size(); i < contexts_.size(); ++i) {
        threads_.emplace_back([context = contexts_[i].get()] { context->run(); });
        const std::string name = "shard-" + std::to_string(i);
        ::pthread_setname_np(threads_.back().native_handle(), name.c_str());
    }
}

void Shards::join() {
    work_.clear();
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

void Shards::stop() {
    for (auto& context : contexts_) context->stop();
    join();
}

}  // namespace postern::core
