#pragma once
#include <sys/types.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/crypto/certificate.hpp"

/// Load where every worker begins the next issuance when the last one is in hand: what the generators of all
/// protocols share.
namespace postern::bench {

/// One line per certificate in hand, on disk before the next step: what a kill of the server must
/// not lose. "REQUEST SERIAL-HEX SHA256-OF-THE-LEAF"; a request is an order's URL or a transaction.
class Journal {
public:
    explicit Journal(const std::string& path);  ///< empty: nothing is written
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal();
    [[nodiscard]] bool kept() const noexcept { return fd_ >= 0; }
    void add(const std::string& request, const crypto::Certificate& leaf) const;

private:
    int fd_ = -1;
};

struct Phase {
    explicit Phase(std::size_t n) : wanted(n) { latencies_ms.reserve(n); }
    std::size_t wanted;
    std::size_t begun = 0;
    std::vector<double> latencies_ms;
    std::size_t failures = 0;
    std::vector<std::string> failure_texts;  ///< the first few
    double wall_ms = 0;

    void failed(const std::string& why);
};

/// Runs one coroutine a worker and returns when the last has ended; throws what one of them throws, and
/// std::runtime_error after `limit`.
template <class Make>
void run_workers(boost::asio::io_context& context, std::size_t workers, std::chrono::seconds limit, Make make) {
    std::size_t running = workers;
    std::exception_ptr fault;
    for (std::size_t i = 0; i < workers; ++i)
        boost::asio::co_spawn(context, make(i), [&](std::exception_ptr e) {
            if (e && !fault) fault = e;
            if (--running == 0 || fault) context.stop();
        });
    boost::asio::steady_timer timer(context, limit);
    bool late = false;
    timer.async_wait([&](boost::system::error_code e) {
        if (e) return;
        late = true;
        context.stop();
    });
    context.restart();
    context.run();
    if (fault) std::rethrow_exception(fault);
    if (late)
        throw std::runtime_error("not finished after " + std::to_string(limit.count()) + " s (--time-limit); " + std::to_string(running) + " workers were waiting");
}

/// Nearest rank; 0 of nothing.
double percentile(const std::vector<double>& sorted, double p);

struct Report {
    Report() = default;
    std::size_t wanted = 0, issued = 0, failures = 0;
    std::vector<std::string> failure_texts;
    std::uint64_t losses = 0, faults = 0, peak_kib = 0;
    double rate = 0, posts_each = 0, cpu_each_ms = 0, p50 = 0, p95 = 0, p99 = 0;

    /// One JSON object, or lines for people; failures on standard error. Whether everything was issued.
    [[nodiscard]] bool print(bool json) const;
};

/// What a server used so far; zeros without one.
struct Used {
    explicit Used(pid_t pid);
    double cpu_ms = 0;
    std::uint64_t peak_kib = 0;
};

Report report_of(Phase warm, Phase measured, double cpu_ms);

/// `load` runs phases and counts what it sent and lost; `pid` is the server's, or 0.
template <class Load>
Report measure(Load& load, std::size_t warmup, std::size_t wanted, pid_t pid) {
    Phase warm(0);
    if (warmup > 0) warm = load.run(warmup);
    const auto posts = load.posts();
    const Used before(pid);
    Phase measured = load.run(wanted);
    const Used after(pid);
    Report report = report_of(std::move(warm), std::move(measured), after.cpu_ms - before.cpu_ms);
    report.posts_each = report.issued == 0 ? 0 : static_cast<double>(load.posts() - posts) / static_cast<double>(report.issued);
    report.peak_kib = after.peak_kib;
    report.losses = load.losses();
    report.faults = load.faults();
    return report;
}

}  // namespace postern::bench
