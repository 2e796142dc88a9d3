#include "acme/new_order.hpp"

#include <set>

#include "acme/handlers.hpp"
#include "acme/profiles.hpp"
#include "acme/proofs.hpp"
#include "acme/render.hpp"
#include "acme/replacement.hpp"
#include "acme/terms.hpp"
#include "ra/challenge_methods.hpp"
#include "ra/grants.hpp"
#include "ra/policy/early.hpp"

namespace postern::acme {

namespace {

/// How long a client has from newOrder to finalize, and an authorization to be used.
constexpr auto order_lifetime = std::chrono::hours(7 * 24);

Error malformed(std::string detail) { return {ErrorType::malformed, std::move(detail)}; }

/// RFC 8738 §3: addresses have one spelling, that of RFC 5952.
core::Result<crypto::GeneralName> orderable_address(std::string_view value) {
    auto canonical = crypto::canonical_ip(value);
    if (canonical == value && !canonical.empty()) return crypto::GeneralName(crypto::GeneralNameType::ip, std::move(canonical));
    const std::string shown(value.substr(0, 64));
    return core::Problem(core::ProblemKind::malformed, "\"" + shown + "\" is not an IP address in its canonical form" +
                                                           (canonical.empty() ? "" : "; write " + canonical) + " (RFC 8738 section 3)");
}

core::Result<crypto::GeneralName> orderable_name(std::string_view type, std::string_view value) {
    if (type == "ip") return orderable_address(value);
    if (type != "dns")
        return core::Problem(core::ProblemKind::unsupported_identifier,
                             "identifiers of type \"" + std::string(type.substr(0, 50)) + "\" are not served here; use \"dns\" or \"ip\"");
    auto name = ra::normalize_dns(value);
    if (!name) return name.error();
    return crypto::GeneralName(crypto::GeneralNameType::dns, std::move(*name));
}

/// All that is wrong with the names at once (RFC 8555 §6.7.1).
Error names_error(std::vector<core::Subproblem> bad) {
    const auto same = [&](const core::Subproblem& s) { return s.kind == bad.front().kind; };
    const auto kind = std::ranges::all_of(bad, same) ? bad.front().kind : core::ProblemKind::rejected_identifier;
    std::string detail = bad.front().identifier + ": " + bad.front().detail;
    if (bad.size() > 1) detail += " (and " + std::to_string(bad.size() - 1) + " more, see subproblems)";
    core::Problem problem(kind, std::move(detail));
    problem.subproblems = std::move(bad);
    problem.check = "names.form";
    return to_error(problem);
}

}  // namespace

Result<std::vector<crypto::GeneralName>> read_identifiers(const std::vector<json::Value>& items) {
    std::vector<crypto::GeneralName> names;
    std::vector<core::Subproblem> bad;
    std::set<std::pair<crypto::GeneralNameType, std::string>> seen;
    for (const auto& item : items) {
        const auto type = item["type"].string();
        if (!type) return malformed("the payload: " + type.error().detail);
        const auto value = item["value"].string();
        if (!value) return malformed("the payload: " + value.error().detail);
        auto name = orderable_name(*type, *value);
        if (!name) bad.emplace_back(name.error().kind, name.error().detail, std::string(*type), std::string(*value));
        else if (seen.emplace(name->type, name->value).second) names.push_back(std::move(*name));
    }
    if (!bad.empty()) return names_error(std::move(bad));
    return names;
}

namespace {

Result<std::optional<core::TimePoint>> read_time(const json::Value& body, std::string_view name) {
    const auto text = body[name].optional_string();
    if (!text) return malformed("the payload: " + text.error().detail);
    if (!*text) return std::optional<core::TimePoint>();
    const auto time = core::from_rfc3339(**text);
    if (!time) return malformed("the payload: " + std::string(name) + " must be a date in RFC 3339 form, like 2027-01-31T12:00:00Z");
    return std::optional<core::TimePoint>(core::floor_seconds(*time));
}

Result<Wanted> read_wanted(const Call& call, core::TimePoint now) {
    const auto payload = payload_object(call);
    if (!payload) return payload.error();
    const json::Value body = payload->root();
    Wanted wanted;
    const json::Value list = body["identifiers"];
    if (!list.is_array() || list.items().empty())
        return malformed("the payload: identifiers must be an array with at least one identifier");
    auto names = read_identifiers(list.items());
    if (!names) return names.error();
    wanted.names = std::move(*names);
    const auto not_before = read_time(body, "notBefore");
    if (!not_before) return not_before.error();
    const auto not_after = read_time(body, "notAfter");
    if (!not_after) return not_after.error();
    wanted.not_before = *not_before;
    wanted.not_after = *not_after;
    if (wanted.not_after && *wanted.not_after <= now) return malformed("the payload: notAfter lies in the past");
    if (wanted.not_after && wanted.not_before && *wanted.not_after <= *wanted.not_before)
        return malformed("the payload: notAfter must come after notBefore");
    const auto profile = body["profile"].optional_string();
    if (!profile) return malformed("the payload: " + profile.error().detail);
    if (*profile) wanted.profile = std::string(**profile);
    const auto replaces = body["replaces"].optional_string();
    if (!replaces) return malformed("the payload: " + replaces.error().detail);
    if (*replaces && (*replaces)->empty()) return malformed("the payload: replaces must be a certificate identifier");
    if (*replaces) wanted.replaces = std::string(**replaces);
    return wanted;
}

/// What the waist will be asked at finalize, as far as it is known now. Nothing of it is kept.
ra::EnrollmentRequest preview(const Call& call, const ra::Account* account, const Wanted& wanted) {
    ra::EnrollmentRequest r;
    r.via = ra::Protocol::acme;
    r.endpoint = call.endpoint.id;
    r.account = call.requester().account;
    r.agreed_names = wanted.names;
    r.not_before = wanted.not_before;
    r.not_after = wanted.not_after;
    r.profile = wanted.profile;
    // The default is the first that is offered, in the order of the directory.
    const auto offered = offered_profiles(*call.catalog, call.endpoint, account);
    if (r.profile.empty() && !offered.empty()) r.profile = offered.front()->name;
    return r;
}

std::string offer(const Call& call, const ra::Account* account, const std::string& wanted) {
    std::string list;
    for (const ra::Profile* profile : offered_profiles(*call.catalog, call.endpoint, account)) list += (list.empty() ? "" : ", ") + profile->name;
    if (list.empty()) return "this account may use no profile; ask the administrator";
    return "the profile \"" + wanted.substr(0, 64) + "\" is not offered to this account; offered: " + list;
}

/// The refusals that ACME has words of its own for.
Error early_error(const core::Problem& problem, const Call& call, const ra::Account* account, const Wanted& wanted) {
    Error e = to_error(problem);
    if (problem.check == "account.active") {
        e.status = 401;
        e.detail = "the credential that this account was made with is disabled or expired";
    } else if (problem.check == "account.binding") {
        e = Error(ErrorType::external_account_required,
                  "this endpoint now takes accounts with an externalAccountBinding only; make a new account with one");
        e.check = problem.check;
    } else if (problem.check == "profile.allowed") {
        e.detail = offer(call, account, wanted.profile);
    }
    return e;
}

}  // namespace

core::Task<Result<Allowed>> check_early(Parts& parts, const Call& call, const Wanted& wanted, std::string_view action) {
    auto found = co_await ra::find_account(parts.deps.db, call.requester().account);
    const ra::Account* account = found ? &*found : nullptr;
    const auto request = preview(call, account, wanted);
    ra::Trace trace;
    const auto allowed = ra::decide_early(request, *call.catalog, parts.deps.backends, account, parts.now(), trace);
    if (allowed) {
        Allowed out;
        out.profile = request.profile;
        out.account = std::move(found).value();
        co_return out;
    }
    auto record = call.audit(parts.now(), std::string(action), "acme_account", call.requester().token);
    auto refusal = refuse(parts, call, std::move(record), std::move(trace), early_error(allowed.error(), call, account, wanted));
    co_return co_await std::move(refusal);
}

std::string grant_of(const Parts& parts, const Call& call, const Allowed& allowed, const crypto::GeneralName& name) {
    const ra::Profile* profile = call.catalog->profile(call.endpoint.tenant, allowed.profile);
    const ca::Backend* backend = profile == nullptr ? nullptr : parts.deps.backends.find(profile->backend);
    if (backend == nullptr || name.type != crypto::GeneralNameType::dns) return {};
    return ra::granted_by(*call.catalog, allowed.account, name.value, backend->capabilities().publicly_trusted, parts.now());
}

core::Task<Error> refuse_names(Parts& parts, const Call& call, std::string_view action, Error error) {
    if (error.check.empty()) co_return error;
    auto record = call.audit(parts.now(), std::string(action), "acme_account", call.requester().token);
    auto refusal = refuse(parts, call, std::move(record), "the identifiers", std::move(error));
    co_return co_await std::move(refusal);
}

Error account_gone() {
    Error gone(ErrorType::unauthorized, 401, "the account was deactivated meanwhile");
    gone.check = "account.active";
    return gone;
}

/// Each way to prove the name that the profile takes. check_early() saw that there is one, or a grant.
std::vector<std::string> methods_of(const Call& call, const Allowed& allowed, const crypto::GeneralName& name) {
    const ra::Profile* profile = call.catalog->profile(call.endpoint.tenant, allowed.profile);
    return profile == nullptr ? std::vector<std::string>() : ra::methods_for(profile->challenges, name);
}

core::Task<AuthorizationIds> draw_authorization_ids(Parts& parts, const Call& call, const Allowed& allowed, std::vector<crypto::GeneralName> names) {
    AuthorizationIds ids;
    std::size_t challenges = 0;
    for (const auto& name : names) challenges += methods_of(call, allowed, name).size();
    if (!names.empty()) ids.authorization = co_await parts.deps.numbers.next(store::Series::acme, static_cast<std::int64_t>(names.size()));
    if (challenges > 0) ids.challenge = co_await parts.deps.numbers.next(store::Series::acme, static_cast<std::int64_t>(challenges));
    co_return ids;
}

NewAuthorization add_authorization(Parts& parts, const Call& call, store::Batch& batch, const crypto::GeneralName& name,
                                   const Allowed& allowed, AuthorizationIds& ids) {
    const auto now = parts.now();
    NewAuthorization made;
    auto& authz = made.row;
    authz.id = store::AcmeAuthorizationId(ids.authorization++);
    authz.token = parts.deps.random.token();
    authz.acme_account = call.requester().id;
    authz.identifier_type = crypto::to_string(name.type);
    authz.wildcard = name.value.starts_with("*.");
    authz.identifier = authz.wildcard ? name.value.substr(2) : name.value;
    authz.profile = allowed.profile;
    const bool granted = !grant_of(parts, call, allowed, name).empty();
    authz.status = granted ? "valid" : "pending";
    authz.expires = core::floor_seconds(now + order_lifetime);
    authz.created = authz.updated = now;
    batch.add(store::acme_authorization_insert, authz.insert_values());
    if (granted) return made;
    for (auto& method : methods_of(call, allowed, name)) {
        store::AcmeChallengeRow challenge;
        challenge.id = store::AcmeChallengeId(ids.challenge++);
        challenge.token = parts.deps.random.token();
        challenge.authorization = authz.id;
        challenge.type = std::move(method);
        challenge.status = "pending";
        challenge.updated = now;
        batch.add(store::acme_challenge_insert, challenge.insert_values());
        made.challenges.push_back(std::move(challenge));
    }
    return made;
}

namespace {

std::string identifiers_json(const std::vector<crypto::GeneralName>& names) {
    json::Writer w;
    w.begin_array();
    for (const auto& name : names) w.begin_object().member("type", crypto::to_string(name.type)).member("value", name.value).end_object();
    w.end_array();
    return w.take();
}

/// What an order is made of once it is known to be allowed.
struct Basis {
    Basis() = default;
    Allowed allowed;
    Proofs proofs;
    std::optional<Replacement> replacement;
};

/// Order, authorizations, links and challenges as one batch.
struct NewOrder {
    NewOrder() = default;
    store::AcmeOrderRow order;
    std::vector<std::string> authorizations;
    store::Batch batch;
    std::vector<std::pair<std::string, std::string>> granted;  ///< name, by what
};
core::Task<NewOrder> compose(Parts& parts, const Call& call, const Wanted& wanted, const Basis& basis) {
    std::vector<crypto::GeneralName> unproven;
    for (const auto& name : wanted.names)
        if (basis.proofs.of(name) == nullptr) unproven.push_back(name);
    const auto id = co_await parts.deps.numbers.next(store::Series::acme);
    AuthorizationIds ids = co_await draw_authorization_ids(parts, call, basis.allowed, unproven);
    const auto now = parts.now();
    NewOrder made;
    for (const auto& name : unproven) {
        if (auto by = grant_of(parts, call, basis.allowed, name); !by.empty()) made.granted.emplace_back(name.value, std::move(by));
    }
    store::AcmeOrderRow& order = made.order;
    order.id = store::AcmeOrderId(id);
    order.token = parts.deps.random.token();
    order.acme_account = call.requester().id;
    order.status = unproven.size() == made.granted.size() ? "ready" : "pending";
    order.identifiers = identifiers_json(wanted.names);
    order.profile = basis.allowed.profile;
    order.not_before = wanted.not_before;
    order.not_after = wanted.not_after;
    order.expires = core::floor_seconds(now + order_lifetime);
    for (const auto& name : wanted.names)
        if (const auto* proof = basis.proofs.of(name)) order.expires = std::min(order.expires, proof->expires);
    if (basis.replacement) order.replaces = basis.replacement->id;
    order.created = order.updated = now;
    made.batch.add(store::acme_account_guard, store::values(order.acme_account));
    made.batch.add(store::acme_order_insert, order.insert_values());
    if (basis.replacement) basis.replacement->claim(made.batch, order.id);
    std::int64_t position = 0;
    for (const auto& name : wanted.names) {
        const auto* proof = basis.proofs.of(name);
        if (proof != nullptr) made.batch.add(store::acme_authorization_guard, store::values(proof->id));
        const auto row = proof != nullptr ? *proof : add_authorization(parts, call, made.batch, name, basis.allowed, ids).row;
        made.batch.add(store::acme_order_link, store::values(order.id, position++, row.id));
        made.authorizations.push_back(row.token);
    }
    co_return made;
}

/// With the audit row. Null: one of the proofs is gone since it was read.
core::Task<std::optional<Reply>> record_order(Parts& parts, const Call& call, const Wanted& wanted, const Basis& basis) {
    NewOrder made = co_await compose(parts, call, wanted, basis);
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    auto record = call.audit(parts.now(), "order.created", "acme_order", made.order.token);
    json::Writer detail;
    detail.begin_object().key("identifiers").raw(made.order.identifiers);
    if (made.order.replaces) detail.member("replaces", *made.order.replaces);
    if (made.order.status == "ready") detail.member("proven", true);
    if (!made.granted.empty()) {
        detail.key("granted").begin_object();
        for (const auto& [name, by] : made.granted) detail.member(name, by);
        detail.end_object();
    }
    detail.end_object();
    record.detail = detail.take();
    ra::add_audit(made.batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(made.batch));
    if (!written) {
        const auto* missed = written.error().statement;
        if (missed == &store::acme_authorization_guard) co_return std::nullopt;
        if (missed == &store::acme_replacement_insert || missed == &store::acme_replacement_take) co_return Reply(already_replaced());
        co_return Reply(account_gone());
    }
    http::Response r = json_response(201, render_order(made.order, made.authorizations, call.urls, parts.now()));
    r.set("Location", call.urls.order(made.order.token));
    co_return Reply(std::move(r));
}

}  // namespace

/// RFC 8555 §7.4.
core::Task<Reply> new_order(Parts& parts, Call& call) {
    const auto wanted = read_wanted(call, parts.now());
    const auto issuing = parts.deps.enrollment.gate_open();
    if (!issuing) co_return to_error(issuing.error());
    const auto agreed = co_await check_terms(parts, call);
    if (!agreed) co_return agreed.error();
    constexpr std::string_view refused = "order.refused";
    if (!wanted) {
        auto refusal = refuse_names(parts, call, refused, wanted.error());
        co_return co_await std::move(refusal);
    }
    Basis basis;
    auto allowed = co_await check_early(parts, call, *wanted, refused);
    if (!allowed) co_return allowed.error();
    basis.allowed = std::move(*allowed);
    if (!wanted->replaces.empty()) {
        auto replacement = co_await find_replacement(parts, call, wanted->replaces, wanted->names);
        if (!replacement) co_return replacement.error();
        basis.replacement = std::move(*replacement);
    }
    basis.proofs = co_await find_proofs(parts, call, wanted->names, basis.allowed.profile);
    auto reply = co_await record_order(parts, call, *wanted, basis);
    if (reply) co_return std::move(*reply);
    basis.proofs = Proofs();
    reply = co_await record_order(parts, call, *wanted, basis);
    co_return std::move(reply).value();
}

}  // namespace postern::acme
