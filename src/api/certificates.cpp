#include <algorithm>
#include <utility>

#include "api/call.hpp"
#include "core/base/encoding.hpp"
#include "core/crypto/certificate.hpp"
#include "core/json/writer.hpp"
#include "ra/reports.hpp"

namespace postern::api {

namespace {

void write(json::Writer& w, const store::CertificateRow& c, core::TimePoint now) {
    // Expiry needs no writer: the clock says it.
    const auto status = c.status == "issued" && c.not_after < now ? std::string("expired") : c.status;
    w.begin_object()
        .member("id", c.id.get())
        .member("serial", core::hex(c.serial))
        .key("names")
        .raw(c.names)
        .member("status", status)
        .member("subject", c.subject)
        .member("issued", core::rfc3339(c.created))
        .member("notBefore", core::rfc3339(c.not_before))
        .member("notAfter", core::rfc3339(c.not_after))
        .member("issuer", c.issuer_key_id)
        .member("enrollment", c.enrollment.get());
    if (c.revoked) w.member("revoked", core::rfc3339(*c.revoked)).member("reason", c.revoked_reason.value_or(0));
}

constexpr std::int64_t page_limit = 1000;

/// Ids come from blocks of a thousand, one node's each: those of several nodes are not in the order of time.
std::vector<store::CertificateRow> oldest_first(const store::Rows& rows) {
    std::vector<store::CertificateRow> out;
    for (const auto& raw : rows) out.push_back(store::CertificateRow::from(raw));
    std::ranges::sort(out, {}, [](const store::CertificateRow& row) { return std::pair(row.created, row.id.get()); });
    return out;
}

}  // namespace

/// ?after=ID&limit=N: one JSON object a line; pages by rising ids, each oldest first; X-Next-After names the next page.
core::Task<Answer> list_certificates(Call call) {
    const auto after = query_number(call.request, "after", 0, 0, std::numeric_limits<std::int64_t>::max());
    if (!after) co_return after.error();
    const auto limit = query_number(call.request, "limit", page_limit, 1, page_limit);
    if (!limit) co_return limit.error();
    const auto rows = co_await ra::list_certificates(call.deps.db, call.principal, *after, *limit);
    const auto now = call.deps.clock.now();
    std::string body;
    std::int64_t last = 0;
    for (const auto& row : oldest_first(rows)) {
        json::Writer w;
        write(w, row, now);
        w.end_object();
        body += w.take() + "\n";
        last = std::max(last, row.id.get());
    }
    http::Response response(200, "application/x-ndjson", std::move(body));
    response.set("Cache-Control", "no-store");
    if (static_cast<std::int64_t>(rows.size()) == *limit && last > 0) response.set("X-Next-After", std::to_string(last));
    co_return response;
}

core::Task<Answer> show_certificate(Call call) {
    const auto found = co_await ra::find_certificate(call.deps.db, call.principal, call.request.params["serial"]);
    if (!found) co_return found.error();
    const auto wanted = co_await ra::open_revocation(call.deps.db, found->id);
    json::Writer w;
    write(w, *found, call.deps.clock.now());
    if (wanted)
        w.member("revocationWanted", core::rfc3339(wanted->created)).member("wantedReason", wanted->reason).member("wantedBy", wanted->actor_kind + " " + wanted->actor)
            .member("asked", wanted->asked).member("unconfirmed", wanted->last_error);
    // Not even by the officer's hands: a device that has it, has it without Intune's knowledge.
    const bool held = co_await ra::withheld(call.deps.db, found->enrollment);
    if (held) w.member("withheld", "until Intune has heard of it");
    else w.member("pem", crypto::to_pem("CERTIFICATE", found->der));
    w.end_object();
    co_return json_response(200, w.take());
}

/// {"reason": 0|1|3|4|5}
core::Task<Answer> revoke_certificate(Call call) {
    const auto body = read_body(call.request, {"reason"});
    if (!body) co_return body.error();
    std::int64_t reason = 0;
    if (const auto given = body->root()["reason"]; given.exists()) {
        const auto n = given.integer();
        if (!n) co_return n.error();
        reason = *n;
    }
    const auto found = co_await ra::find_certificate(call.deps.db, call.principal, call.request.params["serial"]);
    if (!found) {
        auto serial = call.request.params["serial"];
        const auto imported = co_await call.deps.imported_certificates.find(std::move(serial), call.principal);
        if (imported.empty()) co_return found.error();
        co_return core::Problem(core::ProblemKind::conflict, "that certificate was issued by a predecessor, whose CRL Postern does not sign: revoke it there; "
                                                             "`postern cert delete` takes away its right to renew here");
    }
    const auto done = co_await call.deps.revocation.revoke(*found, reason, call.principal.actor, call.request.id, call.request.deadline);
    if (!done) co_return done.error();
    co_return http::Response(204);
}

}  // namespace postern::api
