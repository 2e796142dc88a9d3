#include <algorithm>

#include "core/base/unavailable.hpp"
#include "est/refusals.hpp"
#include "est/status.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Task;

constexpr std::string_view realm = "EST";

/// RFC 7030 §3.2.2: with a label the endpoint so named, without one the default of the host that was asked, before that of any host.
const ra::Endpoint* find_endpoint(const ra::Catalog& catalog, const http::Request& request, bool labelled) {
    if (labelled) return catalog.endpoint(ra::Protocol::est, request.params["endpoint"]);
    const ra::Endpoint* of_any = nullptr;
    for (const auto& e : catalog.endpoints) {
        if (e.protocol != ra::Protocol::est) continue;
        if (std::ranges::find(e.est.default_hosts, request.host) != e.est.default_hosts.end()) return &e;
        if (of_any == nullptr && e.est.default_for(request.host)) of_any = &e;
    }
    return of_any;
}

using Handler = Task<http::Response> (*)(Parts&, const Call&);

Task<http::Response> serve(std::shared_ptr<Parts> parts, const http::Request& request, bool labelled, Handler handler) {
    const auto catalog = parts->deps.catalog.current();
    if (!catalog) throw core::Unavailable("EST was asked before the catalog was loaded");
    // No operation has a query: such a path is another one (est.md §6).
    const auto* endpoint = request.target == request.path ? find_endpoint(*catalog, request, labelled) : nullptr;
    if (endpoint == nullptr)
        co_return refusal(request, realm, Problem(ProblemKind::not_found, labelled ? "there is no such EST endpoint" : "no EST endpoint answers here without a label", "est.endpoint"));
    const auto* tenant = catalog->tenant(endpoint->tenant);
    if (!endpoint->active || tenant == nullptr || !tenant->active) {
        const Problem disabled(ProblemKind::forbidden, "the administrator disabled this EST endpoint", "endpoint.active");
        const Call call(request, catalog, *endpoint);
        co_await record_stranger(*parts, call, disabled);
        co_return refusal(request, realm, disabled);
    }
    auto behind = parts->deps.proxies.behind(request);
    if (!behind) co_return refusal(request, endpoint->name, behind.error());
    if (*behind) {
        http::Request forwarded = request;
        forwarded.peer = std::move(**behind);
        const Call call(forwarded, catalog, *endpoint);
        co_return co_await handler(*parts, call);
    }
    const Call call(request, catalog, *endpoint);
    co_return co_await handler(*parts, call);
}

/// RFC 7030 §4.3: optional, and not offered.
Task<http::Response> fullcmc(Parts&, const Call& call) {
    co_return refusal(call, Problem(ProblemKind::unsupported, "Full CMC is not offered; use simpleenroll", "est.fullcmc"));
}

struct Route {
    http::Method method;
    std::string_view pattern;
    Handler handler;
    [[nodiscard]] bool labelled() const noexcept { return pattern.find('{') != std::string_view::npos; }
};
constexpr Route routes[] = {
    {http::Method::get, "/.well-known/est/{endpoint:label}/cacerts", &cacerts},
    {http::Method::get, "/.well-known/est/cacerts", &cacerts},
    {http::Method::post, "/.well-known/est/{endpoint:label}/simpleenroll", &simpleenroll},
    {http::Method::post, "/.well-known/est/simpleenroll", &simpleenroll},
    {http::Method::post, "/.well-known/est/{endpoint:label}/simplereenroll", &simplereenroll},
    {http::Method::post, "/.well-known/est/simplereenroll", &simplereenroll},
    {http::Method::post, "/.well-known/est/{endpoint:label}/serverkeygen", &serverkeygen},
    {http::Method::post, "/.well-known/est/serverkeygen", &serverkeygen},
    {http::Method::get, "/.well-known/est/{endpoint:label}/csrattrs", &csrattrs},
    {http::Method::get, "/.well-known/est/csrattrs", &csrattrs},
    {http::Method::post, "/.well-known/est/{endpoint:label}/fullcmc", &fullcmc},
    {http::Method::post, "/.well-known/est/fullcmc", &fullcmc},
    // strongSwan's pki has no label: it puts the path of its URL before the well-known one.
    {http::Method::get, "/est/{endpoint:label}/.well-known/est/cacerts", &cacerts},
    {http::Method::post, "/est/{endpoint:label}/.well-known/est/simpleenroll", &simpleenroll},
    {http::Method::post, "/est/{endpoint:label}/.well-known/est/simplereenroll", &simplereenroll},
    {http::Method::get, "/est/{endpoint:label}/.well-known/est/csrattrs", &csrattrs},
    {http::Method::post, "/est/{endpoint:label}/.well-known/est/fullcmc", &fullcmc},
};

Task<http::Response> error_page(const http::Request& request, unsigned status, std::string_view detail) {
    co_return http::Response(status, "text/plain", std::to_string(status) + " http: " + std::string(detail) + " (ref " + request.id.get() + ")\n");
}

}  // namespace

std::string_view to_string(Operation o) noexcept {
    constexpr std::array<std::string_view, 3> names{"simpleenroll", "simplereenroll", "serverkeygen"};
    return names[static_cast<std::size_t>(o)];
}

Parts::Parts(Deps d)
    : deps(d),
      slow_down(deps.clock),
      token_slow_down(deps.clock),
      chosen_passwords(deps.sealer, deps.pool, deps.random, deps.clock),
      key_quota(deps.clock),
      issued(deps.metrics.counter("postern_est_enrollments_total", "EST enrollments by answer", {{"answer", "issued"}})),
      pending(deps.metrics.counter("postern_est_enrollments_total", "EST enrollments by answer", {{"answer", "pending"}})),
      refused(deps.metrics.counter("postern_est_enrollments_total", "EST enrollments by answer", {{"answer", "refused"}})) {}

Est::Est(Deps deps) : parts_(std::make_shared<Parts>(deps)) {}
Est::~Est() = default;

void Est::add_routes(http::Router& router) {
    const http::RouteLimits limits;
    for (const Route& route : routes) {
        auto handler = [parts = parts_, &route](const http::Request& request) { return serve(parts, request, route.labelled(), route.handler); };
        router.add(route.method, route.pattern, limits, std::move(handler));
    }
    router.error_page("/.well-known/est/", &error_page);
}

}  // namespace postern::est
