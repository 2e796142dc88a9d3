#pragma once
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace postern::bench {

/// CPU time of the calling thread: what a server's CPU time is compared with, and deaf to whatever
/// else the core had to run meanwhile.
struct ThreadCpuClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ThreadCpuClock>;
    static constexpr bool is_steady = true;
    static time_point now() noexcept {
        ::timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
    }
};

/// CPU microseconds of one call: the median over batches, each long enough for the clock, so that a
/// neighbour's burst spoils single batches and not the figure.
template <class Fn>
double median_us(Fn fn, std::size_t batches = 21, std::chrono::milliseconds batch = std::chrono::milliseconds(10)) {
    using Clock = ThreadCpuClock;
    const auto time = [&](std::size_t calls) {
        const auto begin = Clock::now();
        for (std::size_t i = 0; i < calls; ++i) fn();
        return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    };
    std::size_t calls = 1;
    double took = time(calls);
    while (took < std::chrono::duration<double, std::micro>(batch).count()) took = time(calls *= 2);
    std::vector<double> each(batches);
    for (auto& us : each) us = time(calls) / static_cast<double>(calls);
    std::nth_element(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(batches / 2), each.end());
    return each[batches / 2];
}

}  // namespace postern::bench
