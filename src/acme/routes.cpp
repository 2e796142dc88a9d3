#include <map>

#include "acme/authenticate.hpp"
#include "acme/challenge_validation.hpp"
#include "acme/cross_origin.hpp"
#include "acme/handlers.hpp"

namespace postern::acme {

namespace {

struct Route {
    http::Method method;
    std::string_view pattern;
    Auth auth;
    Handler handler;
    bool is_directory = false;
    bool issuing = false;  ///< on the way to a certificate, so not while the clock is in doubt
    bool cached = false;   ///< what it answers may be kept: so there is no nonce in it, and it says for how long
};

constexpr Route routes[] = {
    {http::Method::get, "/acme/{endpoint:label}/directory", Auth::none, &directory, true},
    {http::Method::post, "/acme/{endpoint:label}/directory", Auth::jws_kid, &directory, true},
    {http::Method::get, "/acme/{endpoint:label}/new-nonce", Auth::none, &new_nonce},
    {http::Method::head, "/acme/{endpoint:label}/new-nonce", Auth::none, &new_nonce},
    {http::Method::post, "/acme/{endpoint:label}/new-nonce", Auth::jws_kid, &new_nonce},
    {http::Method::post, "/acme/{endpoint:label}/new-account", Auth::jws_jwk, &new_account},
    {http::Method::post, "/acme/{endpoint:label}/account/{token:token}", Auth::jws_kid, &account},
    {http::Method::post, "/acme/{endpoint:label}/account/{token:token}/orders", Auth::jws_kid, &orders},
    {http::Method::post, "/acme/{endpoint:label}/key-change", Auth::jws_kid, &key_change},
    {http::Method::post, "/acme/{endpoint:label}/new-authz", Auth::jws_kid, &new_authz, false, true},
    {http::Method::post, "/acme/{endpoint:label}/new-order", Auth::jws_kid, &new_order, false, true},
    {http::Method::post, "/acme/{endpoint:label}/order/{token:token}", Auth::jws_kid, &order},
    {http::Method::post, "/acme/{endpoint:label}/order/{token:token}/finalize", Auth::jws_kid, &finalize, false, true},
    {http::Method::post, "/acme/{endpoint:label}/authz/{token:token}", Auth::jws_kid, &authorization},
    {http::Method::post, "/acme/{endpoint:label}/challenge/{token:token}", Auth::jws_kid, &challenge, false, true},
    {http::Method::post, "/acme/{endpoint:label}/certificate/{token:token}", Auth::jws_kid, &certificate},
    {http::Method::post, "/acme/{endpoint:label}/certificate/{token:token}/{chain:number}", Auth::jws_kid, &alternate_certificate},
    {http::Method::post, "/acme/{endpoint:label}/revoke-cert", Auth::jws_jwk_or_kid, &revoke_cert},
    {http::Method::get, "/acme/{endpoint:label}/renewal-info/{certificate:segment}", Auth::none, &renewal_info, false, false, true},
};

core::Task<Reply> prove_and_handle(Parts& parts, Call& call, const Route& route) {
    if (route.auth != Auth::none) {
        const auto proven = co_await authenticate(parts, call, route.auth);
        if (!proven) co_return proven.error();
    }
    if (route.issuing) {
        if (const auto agreed = parts.deps.clock_agreement.check(); !agreed) co_return to_error(agreed.error());
    }
    co_return co_await route.handler(parts, call);
}

core::Task<Reply> answer(Parts& parts, const Route& route, const http::Request& request) {
    const auto catalog = parts.deps.catalog.current();
    if (!catalog) throw core::Unavailable("ACME was asked before the catalog was loaded");
    const ra::Endpoint* endpoint = catalog->endpoint(ra::Protocol::acme, request.params["endpoint"]);
    if (endpoint == nullptr) co_return Error(ErrorType::malformed, 404, "there is no such ACME endpoint");
    const ra::Tenant* tenant = catalog->tenant(endpoint->tenant);
    if (!endpoint->active || tenant == nullptr || !tenant->active) {
        Error disabled(ErrorType::unauthorized, "the administrator disabled this ACME endpoint");
        disabled.check = endpoint->active ? "tenant.active" : "endpoint.active";
        co_return disabled;
    }

    Call call(request, catalog, *endpoint, Urls(parts.deps.https_base, endpoint->name));
    const Reply reply = co_await prove_and_handle(parts, call, route);
    // Once an account has proven itself, what it is refused is kept. Before that metrics count, and a
    // stranger's garbage buys no durable write.
    if (reply || !call.account || reply.error().recorded || reply.error().status >= 500) co_return reply;
    auto record = call.audit(parts.now(), "request.refused", "acme_account", call.requester().token);
    auto refusal = refuse(parts, call, std::move(record), "the request for " + request.path, reply.error());
    co_return co_await std::move(refusal);
}

/// What every answer carries, errors included (RFC 8555 §6.5, §7.1).
core::Task<http::Response> serve(std::shared_ptr<Parts> parts, const Route& route, const http::Request& request) {
    const Reply reply = co_await answer(*parts, route, request);
    http::Response response = reply ? *reply : to_response(reply.error(), request.id);
    if (!reply && reply.error().type == ErrorType::bad_nonce) parts->bad_nonces.add();
    if (!route.cached || !reply) {
        const std::string nonce = co_await parts->deps.nonces.issue();
        response.set("Replay-Nonce", nonce).set("Cache-Control", "no-store");
    }
    allow_any_origin(response);
    if (!route.is_directory) {
        const Urls urls(parts->deps.https_base, request.params["endpoint"]);
        response.set("Link", "<" + urls.directory() + ">;rel=\"index\"");
    }
    co_return response;
}

core::Task<http::Response> answer_preflight(std::string methods) { co_return preflight(methods); }

/// The directory that the path of a request without a route lies under, if there is one.
std::optional<Urls> urls_of(const Parts& parts, std::string_view path) {
    constexpr std::string_view prefix = "/acme/";
    if (!path.starts_with(prefix)) return std::nullopt;
    const auto rest = path.substr(prefix.size());
    const auto catalog = parts.deps.catalog.current();
    const ra::Endpoint* endpoint = catalog ? catalog->endpoint(ra::Protocol::acme, rest.substr(0, rest.find('/'))) : nullptr;
    if (endpoint == nullptr) return std::nullopt;
    return Urls(parts.deps.https_base, endpoint->name);
}

/// The HTTP layer's refusals below /acme/: they carry a nonce too, so that the client can go on.
core::Task<http::Response> page_with_nonce(std::shared_ptr<Parts> parts, const http::Request& request, unsigned status,
                                           std::string_view detail) {
    http::Response page = error_page(request, status, detail);
    const std::string nonce = co_await parts->deps.nonces.issue();
    page.set("Replay-Nonce", nonce);
    allow_any_origin(page);
    if (const auto urls = urls_of(*parts, request.path)) page.set("Link", "<" + urls->directory() + ">;rel=\"index\"");
    co_return page;
}

}  // namespace

Acme::Acme(Deps deps) : parts_(std::make_shared<Parts>(std::move(deps))) {}
Acme::~Acme() = default;

void Acme::add_routes(http::Router& router) {
    std::map<std::string_view, std::string> methods;  // by pattern
    for (const Route& route : routes) {
        auto& listed = methods[route.pattern];
        listed.append(listed.empty() ? "" : ", ").append(to_string(route.method));
        auto handler = [parts = parts_, &route](const http::Request& request) { return serve(parts, route, request); };
        router.add(route.method, route.pattern, http::RouteLimits(), std::move(handler));
    }
    for (const auto& [pattern, listed] : methods)
        router.add(http::Method::options, pattern, http::RouteLimits(), [listed = listed](const http::Request&) { return answer_preflight(listed); });
    router.error_page("/acme/", [parts = parts_](const http::Request& request, unsigned status, std::string_view detail) {
        return page_with_nonce(parts, request, status, detail);
    });
}

core::Task<std::size_t> Acme::attempt_due() { return start_due(parts_); }

}  // namespace postern::acme
