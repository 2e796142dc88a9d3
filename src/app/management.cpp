#include "app/management.hpp"

#include "app/house.hpp"
#include "store/tables/objects.hpp"

namespace postern::app {

namespace {

core::Task<http::Response> healthz(const http::Request&) { co_return http::Response(200, "text/plain", "ok\n"); }

core::Task<http::Response> readyz(House& house, const std::atomic<bool>& ready) {
    if (!ready.load()) co_return http::Response(503, "text/plain", "starting or stopping\n");
    if (const auto clocks = house.clock_agreement->state(); !clocks.agree)
        co_return http::Response(503, "text/plain", "the clocks disagree: " + clocks.reason + "\n");
    if (const auto trouble = house.db->trouble(); !trouble.empty())
        co_return http::Response(503, "text/plain", "the store takes no writes: " + trouble + "\n");
    auto none = store::values();
    // A store that is away throws: the session answers 503.
    const auto version = co_await store::read_one(*house.db, store::configuration_version, std::move(none));
    if (!version) co_return http::Response(503, "text/plain", "the store has no configuration\n");
    if (const auto shut = house.gate.reasons(); !shut.empty()) {
        std::string text;
        for (const auto& reason : shut) text += reason.check + ": " + reason.why + "\n";
        co_return http::Response(503, "text/plain", std::move(text));
    }
    std::string text = "ready\n";
    if (const auto ahead = house.clock.ahead(); ahead.count() > 0) text += "the laboratory's clock is " + core::format_duration(ahead) + " ahead\n";
    co_return http::Response(200, "text/plain", std::move(text));
}

core::Task<http::Response> metrics(House& house) {
    co_return http::Response(200, "text/plain; version=0.0.4", house.metrics.scrape());
}

}  // namespace

void add_management_routes(http::Router& router, House& house, const std::atomic<bool>& ready) {
    const http::RouteLimits limits;
    router.add(http::Method::get, "/healthz", limits, &healthz);
    router.add(http::Method::get, "/readyz", limits, [&house, &ready](const http::Request&) { return readyz(house, ready); });
    router.add(http::Method::get, "/metrics", limits, [&house](const http::Request&) { return metrics(house); });
}

}  // namespace postern::app
