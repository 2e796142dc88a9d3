#include "core/observe/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <stdexcept>
#include <vector>

#include "core/observe/process_metrics.hpp"

namespace postern::observe {
namespace {

const prometheus::Histogram::BucketBoundaries& latency_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets{
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
        0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0};
    return buckets;
}

/// Sorted by name, so that the order in which a caller lists labels does not make a new series.
prometheus::Labels sorted(Labels labels) {
    prometheus::Labels map;
    for (const auto& [name, value] : labels) map.emplace(name, value);
    return map;
}

std::string own_name(std::string_view name) {
    if (!name.starts_with("postern_")) {
        throw std::invalid_argument("metric names begin with postern_: " + std::string(name));
    }
    return std::string(name);
}

}  // namespace

struct Metrics::Impl {
    prometheus::Registry registry;
    std::mutex mutex;  ///< guards refreshers and the CPU counter's last value
    std::vector<std::function<void()>> refreshers;
    prometheus::Gauge& resident = process_gauge("process_resident_memory_bytes", "Resident memory in bytes.");
    prometheus::Gauge& address_space = process_gauge("process_virtual_memory_bytes", "Virtual memory in bytes.");
    prometheus::Gauge& open_fds = process_gauge("process_open_fds", "Open file descriptors.");
    prometheus::Gauge& max_fds = process_gauge("process_max_fds", "Most file descriptors that may be open.");
    prometheus::Gauge& start = process_gauge("process_start_time_seconds", "Start, seconds since the Unix epoch.");
    prometheus::Counter& cpu = prometheus::BuildCounter()
                                   .Name("process_cpu_seconds_total")
                                   .Help("User and system CPU time in seconds.")
                                   .Register(registry)
                                   .Add({});

    prometheus::Gauge& process_gauge(const char* name, const char* help) {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }

    void refresh_process() {
        const ProcessFigures figures = process_figures();
        resident.Set(figures.resident_bytes);
        address_space.Set(figures.virtual_bytes);
        open_fds.Set(figures.open_fds);
        max_fds.Set(figures.max_fds);
        const HeapFigures heap = heap_figures();
        if (heap.in_use_bytes) process_gauge("postern_heap_in_use_bytes", "Heap blocks in use, where the allocator counts them.").Set(*heap.in_use_bytes);
        if (heap.committed_bytes) process_gauge("postern_heap_committed_bytes", "Memory that the allocator holds.").Set(*heap.committed_bytes);
        const double passed = figures.cpu_seconds - cpu.Value();
        if (passed > 0) cpu.Increment(passed);
    }
};

void Counter::add(double n) const { static_cast<prometheus::Counter*>(series_)->Increment(n); }
void Gauge::set(double v) const { static_cast<prometheus::Gauge*>(series_)->Set(v); }
void Gauge::add(double n) const { static_cast<prometheus::Gauge*>(series_)->Increment(n); }
void Histogram::observe(double seconds) const { static_cast<prometheus::Histogram*>(series_)->Observe(seconds); }

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
    impl_->start.Set(process_start_seconds());
}

Metrics::~Metrics() = default;

Counter Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
    auto& family = prometheus::BuildCounter().Name(own_name(name)).Help(std::string(help)).Register(impl_->registry);
    return Counter(&family.Add(sorted(labels)));
}

Gauge Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
    auto& family = prometheus::BuildGauge().Name(own_name(name)).Help(std::string(help)).Register(impl_->registry);
    return Gauge(&family.Add(sorted(labels)));
}

Histogram Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
    auto& family = prometheus::BuildHistogram().Name(own_name(name)).Help(std::string(help)).Register(impl_->registry);
    return Histogram(&family.Add(sorted(labels), latency_buckets()));
}

void Metrics::before_scrape(std::function<void()> refresh) {
    const std::lock_guard lock(impl_->mutex);
    impl_->refreshers.push_back(std::move(refresh));
}

std::string Metrics::scrape() {
    std::vector<std::function<void()>> refreshers;
    {
        const std::lock_guard lock(impl_->mutex);
        refreshers = impl_->refreshers;
        impl_->refresh_process();
    }
    // Without the lock: a refresher may look series up or take its own time.
    for (const auto& refresh : refreshers) refresh();
    return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace postern::observe
