#include "api/call.hpp"
#include "core/json/writer.hpp"

namespace postern::api {

/// One JSON object a line: the principal's profiles that issue nothing until they are corrected.
core::Task<Answer> list_paused_profiles(Call call) {
    const auto catalog = call.deps.catalog.current();
    std::string body;
    for (const auto& p : catalog->profiles) {
        const auto* tenant = catalog->tenant(p.tenant);
        if (!p.paused || !tenant || (call.principal.tenant && *call.principal.tenant != p.tenant)) continue;
        json::Writer w;
        w.begin_object()
            .member("profile", tenant->name + "/" + p.name)
            .member("version", p.version)
            .member("check", p.paused->check)
            .member("detail", p.paused->detail)
            .member("request", p.paused->request.get())
            .member("since", core::rfc3339(p.paused->since))
            .end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    co_return response;
}

/// {"profile": "tenant/name"}
core::Task<Answer> resume_profile(Call call) {
    const auto body = read_body(call.request, {"profile"});
    if (!body) co_return body.error();
    const auto profile = body->root()["profile"].string();
    if (!profile) co_return profile.error();
    const auto done = co_await call.deps.profile_pauses.resume(std::string(*profile), call.principal, call.request.id);
    if (!done) co_return done.error();
    co_return http::Response(204);
}

}  // namespace postern::api
