#pragma once
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// Prometheus series behind a small face; prometheus-cpp stays in the .cpp.
namespace postern::observe {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Handles are cheap to copy and valid as long as the Metrics object.
class Counter {
public:
    void add(double n = 1) const;
    explicit Counter(void* series) : series_(series) {}

private:
    void* series_;
};
class Gauge {
public:
    void set(double v) const;
    void add(double n) const;
    explicit Gauge(void* series) : series_(series) {}

private:
    void* series_;
};
/// Seconds; buckets from 100 µs to 30 s.
class Histogram {
public:
    void observe(double seconds) const;
    explicit Histogram(void* series) : series_(series) {}

private:
    void* series_;
};

/// Looking a series up takes a lock: keep the handle where it is hot. The same name and labels give
/// the same series. Names begin "postern_"; another name, or a name used for two kinds, throws.
class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram histogram(std::string_view name, std::string_view help, Labels labels = {});
    /// Called at each scrape, before the text is made.
    void before_scrape(std::function<void()> refresh);
    /// Prometheus text format 0.0.4, with process_resident_memory_bytes and friends.
    [[nodiscard]] std::string scrape();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace postern::observe
