#include "core/base/unavailable.hpp"
#include "core/crypto/cms_content.hpp"
#include "scep/parts.hpp"
#include "scep/query.hpp"

namespace postern::scep {

namespace {

http::Response plain(unsigned status, std::string text) { return {status, "text/plain; charset=utf-8", std::move(text) + "\n"}; }

constexpr std::string_view ask_again = "30";  // seconds

core::Task<http::Response> carry_out(Parts& parts, const Call& call) {
    const auto& request = call.request;
    const bool post = request.method == http::Method::post;
    const auto query = read_query(request.target);
    if (!query) co_return plain(400, query.error().detail);
    const auto operation = post ? post_operation(*query) : get_operation(*query);
    if (!operation) co_return plain(400, operation.error().detail);
    switch (*operation) {
        case Operation::get_ca_caps: co_return get_ca_caps(parts, call);
        case Operation::get_ca_cert: co_return get_ca_cert(parts, call);
        case Operation::get_next_ca_cert: co_return co_await get_next_ca_cert(parts, call);
        case Operation::pki_operation: break;
    }
    if (post) {
        auto body = core::to_bytes(core::as_bytes(request.body));
        co_return co_await pki_operation(parts, call, std::move(body));
    }
    auto message = get_message(*query, call.policy);
    if (!message) co_return plain(message.error().kind == core::ProblemKind::forbidden ? 405 : 400, message.error().detail);
    co_return co_await pki_operation(parts, call, std::move(*message));
}

core::Task<http::Response> serve(std::shared_ptr<Parts> parts, const http::Request& request) {
    const auto catalog = parts->deps.catalog.current();
    if (!catalog) throw core::Unavailable("SCEP was asked before the catalog was loaded");
    const auto* endpoint = catalog->endpoint(ra::Protocol::scep, request.params["endpoint"]);
    if (endpoint == nullptr) co_return plain(404, "there is no such SCEP endpoint");
    const auto* tenant = catalog->tenant(endpoint->tenant);
    if (!endpoint->active || tenant == nullptr || !tenant->active) co_return plain(403, "the administrator disabled this SCEP endpoint");
    Call call(request, catalog, *endpoint);
    call.policy = policy_of(*endpoint);
    call.source = ra_source(*catalog, *endpoint);
    call.credentials = parts->deps.ra_credentials.of(call.source);
    if (call.credentials->empty()) {
        auto later = plain(503, "there is no RA certificate for this SCEP endpoint yet: " + parts->deps.ra_credentials.why_none(call.source));
        later.set("Retry-After", ask_again);
        co_return later;
    }
    http::Response response = co_await carry_out(*parts, call);
    response.set("Cache-Control", "no-store");
    co_return response;
}

struct Route {
    http::Method method;
    std::string_view pattern;
    core::Task<http::Response> (*handler)(std::shared_ptr<Parts>, const http::Request&);
};

/// After the endpoint's own: what clients of Cisco and of NDES append whatever URL they were given.
constexpr Route routes[] = {
    {http::Method::get, "/scep/{endpoint:label}", &serve},
    {http::Method::post, "/scep/{endpoint:label}", &serve},
    {http::Method::get, "/scep/{endpoint:label}/pkiclient.exe", &serve},
    {http::Method::post, "/scep/{endpoint:label}/pkiclient.exe", &serve},
    {http::Method::get, "/scep/{endpoint:label}/cgi-bin/pkiclient.exe", &serve},
    {http::Method::post, "/scep/{endpoint:label}/cgi-bin/pkiclient.exe", &serve},
    {http::Method::get, "/scep/{endpoint:label}/certsrv/mscep/mscep.dll", &serve},
    {http::Method::post, "/scep/{endpoint:label}/certsrv/mscep/mscep.dll", &serve},
    {http::Method::get, "/scep/{endpoint:label}/certsrv/mscep/mscep.dll/pkiclient.exe", &serve},
    {http::Method::post, "/scep/{endpoint:label}/certsrv/mscep/mscep.dll/pkiclient.exe", &serve},
};

core::Task<http::Response> error_page(const http::Request&, unsigned status, std::string_view detail) {
    co_return plain(status, std::string(detail));
}

}  // namespace

MessagePolicy policy_of(const ra::Endpoint& endpoint) {
    MessagePolicy policy;
    if (endpoint.scep.legacy_algorithms) {
        policy.digests.push_back(crypto::CmsDigest::sha1);
        policy.ciphers.push_back(crypto::CmsCipher::des_ede3_cbc);
    }
    policy.get = endpoint.scep.get_operation;
    policy.renewal = endpoint.scep.renewal;
    return policy;
}

Parts::Parts(Deps d)
    : deps(d),
      slow_down(deps.clock),
      chosen_codes(deps.sealer, deps.pool, deps.random, deps.clock),
      succeeded(deps.metrics.counter("postern_scep_messages_total", "SCEP messages by answer", {{"answer", "success"}})),
      pending(deps.metrics.counter("postern_scep_messages_total", "SCEP messages by answer", {{"answer", "pending"}})),
      failed(deps.metrics.counter("postern_scep_messages_total", "SCEP messages by answer", {{"answer", "failure"}})),
      unreadable(deps.metrics.counter("postern_scep_messages_total", "SCEP messages by answer", {{"answer", "unreadable"}})) {}

Scep::Scep(Deps deps) : parts_(std::make_shared<Parts>(deps)) {}
Scep::~Scep() = default;

void Scep::add_routes(http::Router& router) {
    http::RouteLimits limits;
    limits.body_bytes = crypto::cms_most_octets;
    for (const Route& route : routes) {
        auto handler = [parts = parts_, &route](const http::Request& request) { return route.handler(parts, request); };
        router.add(route.method, route.pattern, limits, std::move(handler));
    }
    router.error_page("/scep/", &error_page);
}

}  // namespace postern::scep
