#include "api/call.hpp"
#include "core/json/writer.hpp"

/// Messages tell of every tenant, so only principals of the whole installation see or release them.
namespace postern::api {

namespace {

constexpr std::int64_t page_limit = 1000;
using Status = ra::ParkedMessages::Status;

core::Result<void> of_the_installation(const Call& call) {
    if (!call.principal.tenant) return {};
    return core::Problem(core::ProblemKind::forbidden, "messages tell of every tenant; this needs a principal of the whole installation");
}

core::Result<Status> read_status(const http::Request& request) {
    const auto text = request.query_value("status").value_or("parked");
    if (text == "parked") return Status::parked;
    if (text == "waiting") return Status::waiting;
    return core::Problem(core::ProblemKind::malformed, "status: known here: parked, waiting");
}

/// {"id"}
core::Result<std::string> read_id(const Call& call) {
    if (const auto may = of_the_installation(call); !may) return may.error();
    const auto body = read_body(call.request, {"id"});
    if (!body) return body.error();
    const auto id = body->root()["id"].string();
    if (!id) return id.error();
    return std::string(*id);
}

}  // namespace

/// ?status=parked|waiting&after=ID&limit=N: one JSON object a line, rising ids; X-Next-After names the next page.
core::Task<Answer> list_messages(Call call) {
    if (const auto may = of_the_installation(call); !may) co_return may.error();
    const auto status = read_status(call.request);
    if (!status) co_return status.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    std::string after(call.request.query_value("after").value_or(""));
    const auto entries = co_await call.deps.parked_messages.page(*status, std::move(after), *limit);
    std::string body;
    for (const auto& m : entries) {
        json::Writer w;
        w.begin_object().member("id", m.id).member("kind", m.kind).member("created", core::rfc3339(m.created)).member("failures", m.failures);
        if (!m.last_error.empty()) w.member("lastError", m.last_error);
        w.key("body").raw(m.body).end_object();
        body += w.take() + "\n";
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(entries.size()) == *limit) response.set("X-Next-After", entries.back().id);
    co_return response;
}

/// {"id"} -> 204
core::Task<Answer> retry_message(Call call) {
    auto id = read_id(call);
    if (!id) co_return id.error();
    const auto done = co_await call.deps.parked_messages.retry(std::move(*id), call.principal, call.request.id);
    if (!done) co_return done.error();
    co_return http::Response(204);
}

/// {"id"} -> 204
core::Task<Answer> drop_message(Call call) {
    auto id = read_id(call);
    if (!id) co_return id.error();
    const auto done = co_await call.deps.parked_messages.drop(std::move(*id), call.principal, call.request.id);
    if (!done) co_return done.error();
    co_return http::Response(204);
}

}  // namespace postern::api
