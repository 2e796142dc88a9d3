#include "acme/render.hpp"

#include <algorithm>

#include "ra/approvals.hpp"
#include "store/tables/submission.hpp"

namespace postern::acme {

namespace {

/// What the enrollment says went wrong, as the order's error (RFC 8555 §7.1.3).
std::string enrollment_error(const store::AcmeOrderRow& order, ErrorType type = ErrorType::unauthorized) {
    std::string detail = "the request for this certificate ended without one", check;
    if (order.enrollment_status == "declined" || order.enrollment_status == "rejected")
        detail = "an officer declined the request for this certificate";
    if (order.enrollment_problem) {
        const auto stored = json::Document::parse(*order.enrollment_problem);
        if (stored) {
            if (const auto text = stored->root()["detail"].string()) detail = *text;
            if (const auto text = stored->root()["check"].string()) check = *text;
        }
    }
    Error e(type, detail);
    e.check = check;
    return to_json(e, core::RequestId(order.enrollment_request.value_or("")));
}

/// Not an end: an officer decides. Told while the order is processing, or nobody would know why it stays so.
std::string held_error(const store::AcmeOrderRow& order) {
    const bool unknown = order.enrollment_status == "unknown";
    // What a restore left in doubt says so itself; what a foreign CA's command said is the officer's to read.
    if (unknown && order.enrollment_problem.value_or("").find("\"check\":\"backend.") == std::string::npos) return enrollment_error(order, ErrorType::server_internal);
    Error e(ErrorType::server_internal, unknown ? "nobody knows whether the CA issued a certificate: the request waits for an officer"
                                                : "the CA's answer was not what had been authorised: the request is quarantined and waits for an officer");
    e.check = unknown ? "certificate.outcome" : "certificate.authorised";
    return to_json(e, core::RequestId(order.enrollment_request.value_or("")));
}

bool held(const store::AcmeOrderRow& order) {
    return order.enrollment && (order.enrollment_status == "quarantined" || order.enrollment_status == "unknown");
}

/// When an order that is being worked on may be asked for again. People are slower than programs, and a foreign CA is
/// asked no sooner than it said.
core::Task<std::int64_t> next_look(Parts& parts, const store::AcmeOrderRow& order) {
    if (held(order)) co_return 3600;
    if (order.enrollment_status == "pending_approval") co_return ra::officers_pause.count();
    const auto enrollment = order.enrollment.value();
    auto key = store::values(enrollment);
    const auto row = co_await store::read_one(parts.deps.db, store::submission_by_enrollment, std::move(key));
    if (!row) co_return 1;
    const auto submission = store::SubmissionRow::from(*row);
    if (submission.state == "sent") co_return 1;
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(submission.due - parts.now()).count() + 1;
    co_return std::clamp<std::int64_t>(left, 1, 3600);
}

std::string expired_error() {
    return to_json(Error(ErrorType::malformed, "the order expired before it was finalized; make a new one"),
                   core::RequestId());
}

void write_challenge(json::Writer& w, const store::AcmeChallengeRow& c, const Urls& urls) {
    // acme.sh cuts a challenge at the first brace: nothing nested before these.
    w.begin_object().member("type", c.type).member("url", urls.challenge(c.token));
    w.member("status", c.status).member("token", c.token);
    if (c.validated) w.member("validated", core::rfc3339(*c.validated));
    if (c.error) w.key("error").raw(*c.error);
    w.end_object();
}

}  // namespace

std::string_view to_string(OrderStatus s) noexcept {
    switch (s) {
        case OrderStatus::pending: return "pending";
        case OrderStatus::ready: return "ready";
        case OrderStatus::processing: return "processing";
        case OrderStatus::valid: return "valid";
        case OrderStatus::invalid: return "invalid";
    }
    return "invalid";
}

OrderStatus status_of(const store::AcmeOrderRow& order, core::TimePoint now) {
    if (order.enrollment) {
        if (order.certificate_token) return OrderStatus::valid;  // revoked and expired ones were issued too
        const std::string& s = order.enrollment_status.value();
        if (s == "invalid" || s == "rejected" || s == "declined") return OrderStatus::invalid;
        return OrderStatus::processing;
    }
    if (order.status == "invalid" || order.expires <= now) return OrderStatus::invalid;
    return order.status == "ready" ? OrderStatus::ready : OrderStatus::pending;
}

std::string_view status_of(const store::AcmeAuthorizationRow& authorization, core::TimePoint now) {
    const bool alive = authorization.status == "pending" || authorization.status == "valid";
    if (alive && authorization.expires <= now) return "expired";
    return authorization.status;
}

std::string render_account(const store::AcmeAccountRow& account, const Urls& urls) {
    json::Writer w;
    w.begin_object().member("status", account.status);
    w.key("contact").raw(account.contacts);
    if (account.terms) w.member("termsOfServiceAgreed", true);
    if (account.binding) w.key("externalAccountBinding").raw(*account.binding);
    w.member("orders", urls.orders(account.token)).end_object();
    return w.take();
}

std::string render_order(const store::AcmeOrderRow& order, const std::vector<std::string>& authorizations,
                         const Urls& urls, core::TimePoint now) {
    const OrderStatus status = status_of(order, now);
    json::Writer w;
    w.begin_object().member("status", to_string(status)).member("expires", core::rfc3339(order.expires));
    w.key("identifiers").raw(order.identifiers);
    w.member("profile", order.profile);
    if (order.replaces) w.member("replaces", *order.replaces);
    if (order.not_before) w.member("notBefore", core::rfc3339(*order.not_before));
    if (order.not_after) w.member("notAfter", core::rfc3339(*order.not_after));
    w.key("authorizations").begin_array();
    for (const auto& token : authorizations) w.string(urls.authorization(token));
    w.end_array();
    w.member("finalize", urls.finalize(order.token));
    if (status == OrderStatus::valid) w.member("certificate", urls.certificate(order.certificate_token.value()));
    if (held(order)) w.key("error").raw(held_error(order));
    if (status == OrderStatus::invalid) {
        w.key("error");
        if (order.error) w.raw(*order.error);
        else w.raw(order.enrollment ? enrollment_error(order) : expired_error());
    }
    w.end_object();
    return w.take();
}

std::string render_authorization(const store::AcmeAuthorizationRow& authorization,
                                 const std::vector<store::AcmeChallengeRow>& challenges, const Urls& urls,
                                 core::TimePoint now) {
    const std::string_view status = status_of(authorization, now);
    json::Writer w;
    w.begin_object();
    w.key("identifier").begin_object();
    w.member("type", authorization.identifier_type).member("value", authorization.identifier).end_object();
    w.member("status", status).member("expires", core::rfc3339(authorization.expires));
    if (authorization.wildcard) w.member("wildcard", true);
    w.key("challenges").begin_array();
    // A decided authorization shows the challenge that decided it (RFC 8555 §7.1.4).
    for (const auto& c : challenges)
        if ((status != "valid" && status != "invalid") || c.status == status) write_challenge(w, c, urls);
    w.end_array().end_object();
    return w.take();
}

std::int64_t next_look(const store::AcmeChallengeRow& challenge, core::TimePoint now) {
    if (!challenge.retry || *challenge.retry <= now) return 1;
    return std::chrono::ceil<std::chrono::seconds>(*challenge.retry - now).count() + 1;
}

std::string render_challenge(const store::AcmeChallengeRow& challenge, const Urls& urls) {
    json::Writer w;
    write_challenge(w, challenge, urls);
    return w.take();
}

core::Task<http::Response> order_response(Parts& parts, const Call& call, unsigned status,
                                          const store::AcmeOrderRow& order) {
    auto parameters = store::values(order.id);
    const store::Rows rows = co_await parts.deps.db.read(store::acme_order_authorizations, std::move(parameters));
    std::vector<std::string> tokens;
    tokens.reserve(rows.size());
    for (const auto& row : rows) tokens.push_back(row.text(0));
    http::Response r = json_response(status, render_order(order, tokens, call.urls, parts.now()));
    r.set("Location", call.urls.order(order.token));
    if (status_of(order, parts.now()) == OrderStatus::processing) {
        const auto seconds = co_await next_look(parts, order);
        r.set("Retry-After", std::to_string(seconds));
    }
    co_return r;
}

}  // namespace postern::acme
