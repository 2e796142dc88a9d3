#include "acme/handlers.hpp"
#include "acme/render.hpp"

namespace postern::acme {

core::Task<http::Response> authorization_response(Parts& parts, const Call& call, const store::AcmeAuthorizationRow& authorization) {
    auto parameters = store::values(authorization.id);
    const auto rows = co_await parts.deps.db.read(store::acme_challenges_of, std::move(parameters));
    std::vector<store::AcmeChallengeRow> challenges;
    for (const auto& row : rows) challenges.push_back(store::AcmeChallengeRow::from(row));
    http::Response r = json_response(200, render_authorization(authorization, challenges, call.urls, parts.now()));
    std::optional<std::int64_t> wait;
    for (const auto& c : challenges)
        if (c.status == "processing") wait = std::min(wait.value_or(std::numeric_limits<std::int64_t>::max()), next_look(c, parts.now()));
    if (wait) r.set("Retry-After", std::to_string(*wait));
    co_return r;
}

namespace {

core::Task<std::optional<store::AcmeAuthorizationRow>> find(Parts& parts, const Call& call) {
    auto parameters = store::values(call.token(), call.requester().id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_authorization_owned, std::move(parameters));
    if (!row) co_return std::nullopt;
    co_return store::AcmeAuthorizationRow::from(*row);
}

/// RFC 8555 §7.5.2; an order that waits for it cannot become ready any more (§7.1.6).
core::Task<Reply> deactivate(Parts& parts, const Call& call, const store::AcmeAuthorizationRow& authorization) {
    const auto now = parts.now();
    Error why(ErrorType::unauthorized, "the authorization for " + authorization.identifier + " was deactivated");
    why.check = "authorization.alive";
    store::Batch batch;
    batch.add(store::acme_authorization_deactivate, store::values(authorization.id, now));
    batch.add(store::acme_order_fail, store::values(authorization.id, now, to_json(why, call.request.id)),
              store::Expect::any);
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    const auto record = call.audit(now, "authorization.deactivated", "acme_authorization", authorization.token);
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    const auto stored = co_await find(parts, call);
    if (!stored) co_return not_found();
    if (!written && stored->status != "deactivated")
        co_return Error(ErrorType::malformed, "the authorization is " + stored->status + " and cannot be deactivated");
    co_return co_await authorization_response(parts, call, *stored);
}

}  // namespace

/// RFC 8555 §7.5: read, or deactivate.
core::Task<Reply> authorization(Parts& parts, Call& call) {
    const auto found = co_await find(parts, call);
    if (!found) co_return not_found();
    if (call.payload.empty()) co_return co_await authorization_response(parts, call, *found);
    const auto payload = payload_object(call);
    if (!payload) co_return payload.error();
    const auto status = payload->root()["status"].string();
    if (!status || *status != "deactivated")
        co_return Error(ErrorType::malformed, "send an empty payload to read, or {\"status\":\"deactivated\"}");
    co_return co_await deactivate(parts, call, *found);
}

}  // namespace postern::acme
