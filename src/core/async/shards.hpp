#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/async/task.hpp"

namespace postern::core {

/// Cores this process may use, by sched_getaffinity (taskset and cgroups are honoured).
std::size_t usable_cores() noexcept;

/// One io_context(1) and one thread a core. Sessions, timers and connections stay on their shard,
/// so request code needs no strand and no lock.
class Shards {
public:
    explicit Shards(std::size_t count);
    ~Shards();
    Shards(const Shards&) = delete;
    Shards& operator=(const Shards&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return contexts_.size(); }
    [[nodiscard]] boost::asio::io_context& at(std::size_t i) noexcept;
    [[nodiscard]] Executor executor(std::size_t i) noexcept { return at(i).get_executor(); }
    /// Round robin.
    boost::asio::io_context& next() noexcept;
    /// Starts the threads; returns at once.
    void start();
    /// Lets the contexts end when their work is done, and joins.
    void join();
    /// Ends the contexts now, and joins.
    void stop();

private:
    struct Context;
    std::vector<std::unique_ptr<Context>> contexts_;
    std::vector<boost::asio::any_io_executor> work_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
};

/// Runs `task` to its end on a context of its own and returns its value: for command-line verbs
/// and tests. Exceptions come through.
void run_to_end(Task<void> task);
template <class T>
T run_to_end(Task<T> task);

}  // namespace postern::core

#include "core/async/run_to_end.ipp"
