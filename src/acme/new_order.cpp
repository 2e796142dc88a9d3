#include <set>

#include "acme/handlers.hpp"
#include "acme/profiles.hpp"
#include "acme/render.hpp"
#include "ra/challenge_methods.hpp"
#include "ra/policy/early.hpp"

namespace postern::acme {

namespace {

/// How long a client has from newOrder to finalize, and an authorization to be used.
constexpr auto order_lifetime = std::chrono::hours(7 * 24);

struct Wanted {
    Wanted() = default;
    std::vector<crypto::GeneralName> names;  ///< normalized, each once, in the order sent
    std::optional<core::TimePoint> not_before, not_after;
    std::string profile;  ///< empty: the default
};

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

Result<std::vector<crypto::GeneralName>> read_identifiers(const json::Value& list) {
    if (!list.is_array() || list.items().empty())
        return malformed("the payload: identifiers must be an array with at least one identifier");
    std::vector<crypto::GeneralName> names;
    std::vector<core::Subproblem> bad;
    std::set<std::pair<crypto::GeneralNameType, std::string>> seen;
    for (const auto& item : list.items()) {
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
    auto names = read_identifiers(body["identifiers"]);
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

/// Asked early, so that nobody validates a name in vain; gives the profile. The waist asks again.
core::Task<Result<std::string>> check_early(Parts& parts, const Call& call, const Wanted& wanted) {
    const auto found = co_await ra::find_account(parts.deps.db, call.requester().account);
    const ra::Account* account = found ? &*found : nullptr;
    const auto request = preview(call, account, wanted);
    ra::Trace trace;
    const auto allowed = ra::decide_early(request, *call.catalog, parts.deps.backends, account, parts.now(), trace);
    if (allowed) co_return request.profile;
    auto record = call.audit(parts.now(), "order.refused", "acme_account", call.requester().token);
    auto refusal = refuse(parts, call, std::move(record), std::move(trace), early_error(allowed.error(), call, account, wanted));
    co_return co_await std::move(refusal);
}

std::string identifiers_json(const std::vector<crypto::GeneralName>& names) {
    json::Writer w;
    w.begin_array();
    for (const auto& name : names) w.begin_object().member("type", crypto::to_string(name.type)).member("value", name.value).end_object();
    w.end_array();
    return w.take();
}

/// How each name may be proven. check_early() saw that there is a way.
std::vector<std::vector<std::string>> methods_of(const Call& call, const std::string& profile, const std::vector<crypto::GeneralName>& names) {
    const auto* found = call.catalog->profile(call.endpoint.tenant, profile);
    std::vector<std::vector<std::string>> out;
    for (const auto& name : names) out.push_back(found ? ra::methods_for(found->challenges, name) : std::vector<std::string>());
    return out;
}

/// Numbers for the rows of one order: `authorization` begins one for each name, `challenge` one for each way to prove it.
struct RowIds {
    RowIds() = default;
    std::int64_t order = 0, authorization = 0, challenge = 0;
};
core::Task<RowIds> draw_ids(Parts& parts, std::int64_t names, std::int64_t challenges) {
    RowIds ids;
    ids.order = co_await parts.deps.numbers.next(store::Series::acme);
    ids.authorization = co_await parts.deps.numbers.next(store::Series::acme, names);
    ids.challenge = co_await parts.deps.numbers.next(store::Series::acme, challenges);
    co_return ids;
}

/// Order, authorizations, links and challenges as one batch.
struct NewOrder {
    NewOrder() = default;
    store::AcmeOrderRow order;
    std::vector<std::string> authorizations;
    store::Batch batch;
};
NewOrder compose(Parts& parts, const Call& call, const Wanted& wanted, const std::string& profile,
                 const std::vector<std::vector<std::string>>& methods, RowIds ids) {
    const auto now = parts.now();
    NewOrder made;
    store::AcmeOrderRow& order = made.order;
    order.id = store::AcmeOrderId(ids.order);
    order.token = parts.deps.random.token();
    order.acme_account = call.requester().id;
    order.status = "pending";
    order.identifiers = identifiers_json(wanted.names);
    order.profile = profile;
    order.not_before = wanted.not_before;
    order.not_after = wanted.not_after;
    order.expires = core::floor_seconds(now + order_lifetime);
    order.created = order.updated = now;
    made.batch.add(store::acme_account_guard, store::values(order.acme_account));
    made.batch.add(store::acme_order_insert, order.insert_values());
    std::int64_t position = 0;
    for (std::size_t i = 0; i < wanted.names.size(); ++i) {
        const auto& name = wanted.names[i];
        store::AcmeAuthorizationRow authz;
        authz.id = store::AcmeAuthorizationId(ids.authorization++);
        authz.token = parts.deps.random.token();
        authz.acme_account = order.acme_account;
        authz.identifier_type = crypto::to_string(name.type);
        authz.wildcard = name.value.starts_with("*.");
        authz.identifier = authz.wildcard ? name.value.substr(2) : name.value;
        authz.profile = profile;
        authz.status = "pending";
        authz.expires = order.expires;
        authz.created = authz.updated = now;
        made.batch.add(store::acme_authorization_insert, authz.insert_values());
        made.batch.add(store::acme_order_link, store::values(order.id, position++, authz.id));
        for (const auto& method : methods[i]) {
            store::AcmeChallengeRow challenge;
            challenge.id = store::AcmeChallengeId(ids.challenge++);
            challenge.token = parts.deps.random.token();
            challenge.authorization = authz.id;
            challenge.type = method;
            challenge.status = "pending";
            challenge.updated = now;
            made.batch.add(store::acme_challenge_insert, challenge.insert_values());
        }
        made.authorizations.push_back(std::move(authz.token));
    }
    return made;
}

}  // namespace

/// RFC 8555 §7.4.
core::Task<Reply> new_order(Parts& parts, Call& call) {
    const auto wanted = read_wanted(call, parts.now());
    const auto issuing = parts.deps.enrollment.gate_open();
    if (!issuing) co_return to_error(issuing.error());
    if (!wanted) {
        // What is no order at all is a client's fault; names that cannot be certified were judged.
        if (wanted.error().check.empty()) co_return wanted.error();
        auto record = call.audit(parts.now(), "order.refused", "acme_account", call.requester().token);
        auto refusal = refuse(parts, call, std::move(record), "the order's identifiers", wanted.error());
        co_return co_await std::move(refusal);
    }
    const auto profile = co_await check_early(parts, call, *wanted);
    if (!profile) co_return profile.error();

    const auto methods = methods_of(call, *profile, wanted->names);
    std::int64_t challenges = 0;
    for (const auto& each : methods) challenges += static_cast<std::int64_t>(each.size());
    const RowIds ids = co_await draw_ids(parts, static_cast<std::int64_t>(methods.size()), challenges);
    const std::int64_t audit_id = co_await parts.deps.numbers.next(store::Series::audit);
    NewOrder made = compose(parts, call, *wanted, *profile, methods, ids);
    auto record = call.audit(parts.now(), "order.created", "acme_order", made.order.token);
    record.detail = "{\"identifiers\":" + made.order.identifiers + "}";
    ra::add_audit(made.batch, audit_id, record);
    const auto written = co_await parts.deps.db.write(std::move(made.batch));
    if (!written) {
        Error gone(ErrorType::unauthorized, 401, "the account was deactivated meanwhile");
        gone.check = "account.active";
        co_return gone;
    }

    http::Response r = json_response(201, render_order(made.order, made.authorizations, call.urls, parts.now()));
    r.set("Location", call.urls.order(made.order.token));
    co_return r;
}

}  // namespace postern::acme
