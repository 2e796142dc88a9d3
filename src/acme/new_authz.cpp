#include "acme/handlers.hpp"
#include "acme/new_order.hpp"
#include "acme/proofs.hpp"
#include "acme/render.hpp"
#include "acme/terms.hpp"

namespace postern::acme {

namespace {

/// The identifier alone: everything else of a certificate is an order's to say.
Result<Wanted> read_wanted(const Call& call) {
    const auto payload = payload_object(call);
    if (!payload) return payload.error();
    const json::Value identifier = payload->root()["identifier"];
    if (!identifier.is_object()) return Error(ErrorType::malformed, "the payload: identifier must be an object with type and value");
    auto names = read_identifiers({identifier});
    if (!names) return names.error();
    if (names->front().value.starts_with("*.")) {
        Error e(ErrorType::rejected_identifier, "a wildcard is proven by an order for it only (RFC 8555 section 7.4.1)");
        e.check = "names.form";
        return e;
    }
    Wanted wanted;
    wanted.names = std::move(*names);
    return wanted;
}

}  // namespace

/// RFC 8555 §7.4.1: a name is proven before anything is ordered, for the endpoint's first profile that the account may use.
/// Of a name that is proven already the client is told by which authorization.
core::Task<Reply> new_authz(Parts& parts, Call& call) {
    const auto wanted = read_wanted(call);
    const auto issuing = parts.deps.enrollment.gate_open();
    if (!issuing) co_return to_error(issuing.error());
    const auto agreed = co_await check_terms(parts, call);
    if (!agreed) co_return agreed.error();
    constexpr std::string_view refused = "authorization.refused";
    if (!wanted) {
        auto refusal = refuse_names(parts, call, refused, wanted.error());
        co_return co_await std::move(refusal);
    }
    const auto allowed = co_await check_early(parts, call, *wanted, refused);
    if (!allowed) co_return allowed.error();

    const auto proofs = co_await find_proofs(parts, call, wanted->names, allowed->profile);
    if (const auto* proof = proofs.of(wanted->names.front())) {
        auto existing = co_await authorization_response(parts, call, *proof);
        existing.set("Location", call.urls.authorization(proof->token));
        co_return existing;
    }
    AuthorizationIds ids = co_await draw_authorization_ids(parts, call, *allowed, wanted->names);
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    store::Batch batch;
    batch.add(store::acme_account_guard, store::values(call.requester().id));
    const auto made = add_authorization(parts, call, batch, wanted->names.front(), *allowed, ids);
    auto record = call.audit(parts.now(), "authorization.created", "acme_authorization", made.row.token);
    json::Writer detail;
    detail.begin_object().member("type", made.row.identifier_type).member("identifier", made.row.identifier).member("status", made.row.status).end_object();
    record.detail = detail.take();
    ra::add_audit(batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    if (!written) co_return account_gone();
    http::Response r = json_response(201, render_authorization(made.row, made.challenges, call.urls, parts.now()));
    r.set("Location", call.urls.authorization(made.row.token));
    co_return r;
}

}  // namespace postern::acme
