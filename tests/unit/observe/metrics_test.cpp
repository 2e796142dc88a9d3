#include "core/observe/metrics.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace observe = postern::observe;

namespace {

bool has_line(const std::string& text, std::string_view wanted) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line == wanted) return true;
    }
    return false;
}

double value_of(const std::string& text, const std::string& series) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
    }
    BOOST_FAIL("no series " + series);
    return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(observe_metrics)

BOOST_AUTO_TEST_CASE(a_scrape_shows_help_type_and_values) {
    observe::Metrics metrics;
    metrics.counter("postern_requests_total", "Requests.", {{"route", "/acme"}, {"code", "200"}}).add(2);
    metrics.gauge("postern_queue", "Queue.").set(4);
    const auto text = metrics.scrape();
    BOOST_TEST(has_line(text, "# HELP postern_requests_total Requests."));
    BOOST_TEST(has_line(text, "# TYPE postern_requests_total counter"));
    BOOST_TEST(has_line(text, R"(postern_requests_total{code="200",route="/acme"} 2)"));
    BOOST_TEST(has_line(text, "postern_queue 4"));
}

BOOST_AUTO_TEST_CASE(the_same_series_asked_twice_is_one) {
    observe::Metrics metrics;
    metrics.counter("postern_a_total", "A.", {{"x", "1"}, {"y", "2"}}).add();
    metrics.counter("postern_a_total", "A.", {{"y", "2"}, {"x", "1"}}).add();
    metrics.counter("postern_a_total", "A.", {{"x", "9"}, {"y", "2"}}).add();
    const auto text = metrics.scrape();
    BOOST_TEST(has_line(text, R"(postern_a_total{x="1",y="2"} 2)"));
    BOOST_TEST(has_line(text, R"(postern_a_total{x="9",y="2"} 1)"));
}

BOOST_AUTO_TEST_CASE(histograms_reach_from_100_microseconds_to_30_seconds) {
    observe::Metrics metrics;
    const auto histogram = metrics.histogram("postern_seconds", "Time.");
    histogram.observe(0.00005);
    histogram.observe(40);
    const auto text = metrics.scrape();
    BOOST_TEST(has_line(text, R"(postern_seconds_bucket{le="0.0001"} 1)"));
    BOOST_TEST(has_line(text, R"(postern_seconds_bucket{le="30"} 1)"));
    BOOST_TEST(has_line(text, R"(postern_seconds_bucket{le="+Inf"} 2)"));
    BOOST_TEST(has_line(text, "postern_seconds_count 2"));
}

BOOST_AUTO_TEST_CASE(label_values_are_escaped) {
    observe::Metrics metrics;
    metrics.gauge("postern_g", "G.", {{"v", "a\"b\\c\nd"}}).add(1);
    BOOST_TEST(has_line(metrics.scrape(), R"(postern_g{v="a\"b\\c\nd"} 1)"));
}

BOOST_AUTO_TEST_CASE(foreign_names_and_mixed_kinds_are_broken_invariants) {
    observe::Metrics metrics;
    BOOST_CHECK_THROW(metrics.counter("requests_total", "R."), std::invalid_argument);
    (void)metrics.counter("postern_b", "B.");
    BOOST_CHECK_THROW(metrics.gauge("postern_b", "B."), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(refreshers_run_before_each_scrape) {
    observe::Metrics metrics;
    const auto gauge = metrics.gauge("postern_fresh", "F.");
    metrics.before_scrape([gauge] { gauge.add(1); });
    metrics.before_scrape([&metrics] { metrics.gauge("postern_late", "L.").set(7); });
    (void)metrics.scrape();
    const auto text = metrics.scrape();
    BOOST_TEST(has_line(text, "postern_fresh 2"));
    BOOST_TEST(has_line(text, "postern_late 7"));
}

BOOST_AUTO_TEST_CASE(the_process_is_described) {
    observe::Metrics metrics;
    const auto text = metrics.scrape();
    BOOST_TEST(value_of(text, "process_resident_memory_bytes") > 1e6);
    BOOST_TEST(value_of(text, "process_virtual_memory_bytes") > value_of(text, "process_resident_memory_bytes"));
    BOOST_TEST(value_of(text, "process_open_fds") >= 3);
    BOOST_TEST(value_of(text, "process_max_fds") >= value_of(text, "process_open_fds"));
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double start = value_of(text, "process_start_time_seconds");
    BOOST_TEST(start > now - 86400);
    BOOST_TEST(start < now + 5);
}

BOOST_AUTO_TEST_CASE(cpu_seconds_only_rise) {
    observe::Metrics metrics;
    const double before = value_of(metrics.scrape(), "process_cpu_seconds_total");
    volatile unsigned sink = 0;
    for (unsigned i = 0; i < 50'000'000; ++i) sink = sink + i;
    BOOST_TEST(value_of(metrics.scrape(), "process_cpu_seconds_total") > before);
}

BOOST_AUTO_TEST_CASE(threads_may_share_series) {
    observe::Metrics metrics;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&metrics] {
            for (int i = 0; i < 1000; ++i) metrics.counter("postern_shared_total", "S.", {{"k", "v"}}).add();
        });
    }
    (void)metrics.scrape();
    for (auto& thread : threads) thread.join();
    BOOST_TEST(has_line(metrics.scrape(), R"(postern_shared_total{k="v"} 4000)"));
}

BOOST_AUTO_TEST_SUITE_END()
