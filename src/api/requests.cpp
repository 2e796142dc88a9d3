#include "api/call.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/requests.hpp"

/// Requests that foreign CAs work on, or of which nobody knows what became.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;


}  // namespace

/// ?after=ID&limit=N&held=1: one JSON object a line, rising ids; X-Next-After names the next page.
core::Task<Answer> list_requests(Call call) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    const auto held = query_number(call.request, "held", 0, 0, 1);
    if (!held) co_return held.error();
    const auto rows = co_await ra::list_requests(call.deps.db, call.principal, *after, *limit, *held == 1);
    std::string body;
    for (const auto& row : rows) {
        json::Writer w;
        w.begin_object().member("id", row.integer(0)).member("request", row.text(1)).member("tenant", row.text(2));
        w.member("status", row.text(3)).key("names").raw(row.text(4)).member("backend", row.text(5)).member("state", row.text(6));
        w.member("asked", row.integer(7)).member("sent", core::rfc3339(row.time(8))).member("due", core::rfc3339(row.time(9)));
        if (!row.null(10)) w.key("problem").raw(row.text(10));
        w.end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows.size()) == *limit) response.set("X-Next-After", std::to_string(rows.back().integer(0)));
    co_return response;
}

core::Task<Answer> show_request(Call call) {
    const auto shown = co_await ra::find_request(call.deps.db, call.principal, call.request.params["request"]);
    if (!shown) co_return shown.error();
    const auto& e = shown->enrollment;
    json::Writer w;
    w.begin_object().member("id", e.id.get()).member("request", e.request.get()).member("status", e.status);
    w.key("names").raw(e.names).member("protocol", e.protocol).member("requester", e.requester).member("backend", e.backend);
    w.member("created", core::rfc3339(e.created)).member("updated", core::rfc3339(e.updated));
    w.member("csr", crypto::to_pem("CERTIFICATE REQUEST", e.csr));
    if (e.problem) w.key("problem").raw(*e.problem);
    if (shown->submission) {
        const auto& s = *shown->submission;
        w.member("state", s.state).member("asked", s.asked).member("sent", core::rfc3339(s.sent)).key("content").raw(s.content);
        if (s.state != "held") w.member("due", core::rfc3339(s.due));
        if (s.handle) w.member("handle", *s.handle);
        if (s.received) w.member("received", *s.received);
    }
    w.end_object();
    co_return json_response(200, w.take());
}

/// {"why", and either "certificate": PEM, or "notIssued": true with "again"?: true}
core::Task<Answer> resolve_request(Call call) {
    const auto body = read_body(call.request, {"why", "certificate", "notIssued", "again"});
    if (!body) co_return body.error();
    const auto root = body->root();
    ra::Resolution resolution;
    const auto why = root["why"].string();
    if (!why) co_return why.error();
    resolution.why = *why;
    const auto certificate = root["certificate"].optional_string();
    if (!certificate) co_return certificate.error();
    resolution.certificate = certificate->value_or("");
    bool absent = false;
    for (const auto& [name, into] : {std::pair("notIssued", &absent), std::pair("again", &resolution.again)}) {
        if (!root.contains(name)) continue;
        const auto flag = root[name].boolean();
        if (!flag) co_return flag.error();
        *into = *flag;
    }
    const bool one = absent == resolution.certificate.empty();
    if (!one || (resolution.again && !absent)) co_return root.problem("say either certificate, or notIssued (with again, if the client may ask again)");
    const auto shown = co_await ra::find_request(call.deps.db, call.principal, call.request.params["request"]);
    if (!shown) co_return shown.error();
    const auto id = shown->enrollment.id;
    const auto done = co_await call.deps.enrollment.resolve(id, std::move(resolution), call.principal, call.request.id);
    if (!done) co_return done.error();
    co_return http::Response(204);
}

}  // namespace postern::api
