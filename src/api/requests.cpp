#include <algorithm>
#include <array>

#include "api/call.hpp"
#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/requests.hpp"

/// Requests that foreign CAs work on, of which nobody knows what became, or that an officer decides.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;
/// How long an officer's answer waits for the certificate.
constexpr std::chrono::seconds answer_time(5);

void render_approval(json::Writer& w, const ra::RequestShown& shown) {
    const auto& a = *shown.approval;
    w.key("approval").begin_object().member("contentHash", core::hex(shown.enrollment.content_hash)).key("content").raw(a.content);
    w.member("asked", core::rfc3339(a.asked)).member("until", core::rfc3339(a.limit));
    if (!a.asked_by.empty()) w.member("askedBy", a.asked_by);
    if (a.decision) {
        w.member("decision", *a.decision).member("decidedBy", a.decided_by.value_or("")).member("message", a.message.value_or(""));
        w.member("decided", core::rfc3339(a.decided.value_or(a.asked)));
    }
    w.key("trace").raw(a.trace).end_object();
}

/// What an officer must see of a request.
std::string rendered(const Call& call, const ra::RequestShown& shown) {
    const auto& e = shown.enrollment;
    json::Writer w;
    w.begin_object().member("id", e.id.get()).member("request", e.request.get()).member("status", e.status);
    w.key("names").raw(e.names).member("protocol", e.protocol).member("requester", e.requester).member("backend", e.backend);
    const auto catalog = call.deps.catalog.current();
    if (const auto* endpoint = catalog->endpoint(e.endpoint)) w.member("endpoint", endpoint->name);
    if (const auto* profile = catalog->profile(e.profile)) w.member("profile", profile->name);
    w.member("created", core::rfc3339(e.created)).member("updated", core::rfc3339(e.updated));
    if (!e.pending_reason.empty()) w.member("waitsFor", e.pending_reason);
    w.member("csr", crypto::to_pem("CERTIFICATE REQUEST", e.csr)).key("evidence").raw(e.evidence);
    if (e.problem) w.key("problem").raw(*e.problem);
    if (shown.submission) {
        const auto& s = *shown.submission;
        w.member("state", s.state).member("asked", s.asked).member("sent", core::rfc3339(s.sent)).key("content").raw(s.content);
        if (s.state != "held") w.member("due", core::rfc3339(s.due));
        if (s.handle) w.member("handle", *s.handle);
        if (s.received) w.member("received", *s.received);
    }
    if (shown.approval) render_approval(w, shown);
    w.end_object();
    return w.take();
}

core::Task<Answer> decide(Call call, bool approve) {
    const auto body = read_body(call.request, {"contentHash", "message"});
    if (!body) co_return body.error();
    const auto root = body->root();
    ra::Decision decision;
    decision.approve = approve;
    const auto hash = root["contentHash"].string();
    if (!hash) co_return hash.error();
    auto seen = core::from_hex(*hash);
    if (!seen) co_return root["contentHash"].problem("expected the contentHash that was shown, in hexadecimal");
    decision.content_hash = std::move(*seen);
    const auto message = root["message"].optional_string();
    if (!message) co_return message.error();
    decision.message = message->value_or("");
    const auto shown = co_await ra::find_request(call.deps.db, call.principal, call.request.params["request"]);
    if (!shown) co_return shown.error();
    const auto id = shown->enrollment.id;
    const auto until = core::earlier(core::deadline_in(answer_time), call.request.deadline);
    const auto done = co_await call.deps.approvals.decide(id, std::move(decision), call.principal, call.request.id, until);
    if (!done) co_return done.error();
    co_return json_response(200, rendered(call, *done));
}

}  // namespace

/// ?after=ID&limit=N&held=1&status=pending_approval: one JSON object a line, rising ids; X-Next-After names the next page.
core::Task<Answer> list_requests(Call call) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    const auto held = query_number(call.request, "held", 0, 0, 1);
    if (!held) co_return held.error();
    ra::RequestFilter filter;
    filter.held = *held == 1;
    filter.status = call.request.query_value("status");
    constexpr std::array known{"pending_approval", "approved", "declined"};
    if (filter.status && std::ranges::find(known, *filter.status) == known.end())
        co_return core::Problem(core::ProblemKind::malformed, "status: known here: pending_approval, approved, declined");
    const auto rows = co_await ra::list_requests(call.deps.db, call.principal, *after, *limit, filter);
    std::string body;
    for (const auto& r : rows) {
        json::Writer w;
        w.begin_object().member("id", r.id.get()).member("request", r.request).member("tenant", r.tenant);
        w.member("status", r.status).key("names").raw(r.names).member("backend", r.backend).member("state", r.state);
        w.member("asked", r.asked).member("sent", core::rfc3339(r.since)).member("due", core::rfc3339(r.due));
        if (!r.profile.empty()) w.member("profile", r.profile).member("account", r.account);
        if (r.problem) w.key("problem").raw(*r.problem);
        w.end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows.size()) == *limit) response.set("X-Next-After", std::to_string(rows.back().id.get()));
    co_return response;
}

core::Task<Answer> show_request(Call call) {
    const auto shown = co_await ra::find_request(call.deps.db, call.principal, call.request.params["request"]);
    if (!shown) co_return shown.error();
    co_return json_response(200, rendered(call, *shown));
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

/// {"contentHash", "message"?} -> 200 and the request as it is then: issued, or still approved where the CA takes its time, or
/// waiting again where it had changed
core::Task<Answer> approve_request(Call call) { return decide(std::move(call), true); }
/// {"contentHash", "message"} -> 200 and the request
core::Task<Answer> decline_request(Call call) { return decide(std::move(call), false); }

}  // namespace postern::api
