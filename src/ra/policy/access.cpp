#include "ra/policy/checks.hpp"

namespace postern::ra::checks {

using core::ProblemKind;

Finding tenant_active(const PolicyInput& in) {
    if (!in.tenant) return Finding::refuse(ProblemKind::forbidden, "tenant unknown", "there is no such tenant");
    if (!in.tenant->active) return Finding::refuse(ProblemKind::forbidden, "tenant " + in.tenant->name, "the tenant is disabled");
    return Finding::pass("tenant " + in.tenant->name);
}

Finding endpoint_active(const PolicyInput& in) {
    if (!in.endpoint) return Finding::refuse(ProblemKind::forbidden, "endpoint unknown", "there is no such endpoint");
    const auto what = "endpoint " + in.endpoint->name + " (" + std::string(to_string(in.endpoint->protocol)) + ")";
    if (!in.endpoint->active) return Finding::refuse(ProblemKind::forbidden, what, "the endpoint is disabled");
    if (in.endpoint->protocol != in.request.via)
        return Finding::refuse(ProblemKind::forbidden, what, "the endpoint does not serve " + std::string(to_string(in.request.via)));
    return Finding::pass(what);
}

Finding account_active(const PolicyInput& in) {
    if (!in.account) return Finding::refuse(ProblemKind::forbidden, "account unknown", "there is no such endpoint account");
    const auto what = "account " + in.account->name + " (" + std::string(to_string(in.account->method)) + ")";
    if (in.account->endpoint != in.request.endpoint || in.account->tenant != in.endpoint->tenant)
        return Finding::refuse(ProblemKind::forbidden, what, "the account belongs to another endpoint");
    if (!in.account->active) return Finding::refuse(ProblemKind::forbidden, what, "the account is disabled");
    if (in.account->expires && *in.account->expires <= in.now)
        return Finding::refuse(ProblemKind::forbidden, what, "the account expired at " + core::rfc3339(*in.account->expires));
    return Finding::pass(what);
}

/// An endpoint that came to require external accounts serves no order of before either.
Finding account_bound(const PolicyInput& in) {
    const bool open = in.account->method == AccountMethod::open;
    if (open && in.endpoint->protocol == Protocol::acme && in.endpoint->account_required)
        return Finding::refuse(ProblemKind::forbidden, "open account", "the endpoint requires an external account binding");
    return Finding::pass(open ? "open account" : "bound account");
}

/// A front end has just judged its own request; what is taken up later was asked for by somebody who may
/// have gone since.
Finding requester_active(const PolicyInput& in) {
    const auto what = "requester " + in.request.requester;
    if (in.requester_stands) return Finding::pass(what);
    return Finding::refuse(ProblemKind::forbidden, what, "whoever asked for this was deactivated since");
}

Finding organization_active(const PolicyInput& in) {
    if (!in.account->organization) return Finding::pass("no organization");
    const auto* organization = in.catalog.organization(*in.account->organization);
    if (!organization) return Finding::refuse(ProblemKind::forbidden, "organization unknown", "the account's organization is gone");
    if (!organization->active)
        return Finding::refuse(ProblemKind::forbidden, "organization " + organization->name, "the organization is disabled");
    if (!in.account->department) return Finding::pass("organization " + organization->name);
    const auto* department = in.catalog.department(*in.account->department);
    if (!department || department->organization != organization->id)
        return Finding::refuse(ProblemKind::forbidden, "department unknown", "the account's department is not of its organization");
    if (!department->active)
        return Finding::refuse(ProblemKind::forbidden, "department " + department->name, "the department is disabled");
    return Finding::pass("organization " + organization->name + ", department " + department->name);
}

namespace {

bool judges_challenges(AccountMethod method) {
    return method == AccountMethod::access_code || method == AccountMethod::one_time || method == AccountMethod::webhook;
}

}  // namespace

/// Each protocol must bring the evidence that its front end is there to check.
Finding evidence_sufficient(const PolicyInput& in) {
    const auto has = [&](Evidence::Kind kind) {
        for (const auto& e : in.request.evidence)
            if (e.kind == kind) return true;
        return false;
    };
    std::string what;
    for (const auto& e : in.request.evidence) {
        if (!what.empty()) what += ", ";
        what += to_string(e.kind);
        if (!e.identifier.empty()) what += " " + e.identifier + " by " + e.method;
    }
    if (what.empty()) what = "none";
    switch (in.request.via) {
        case Protocol::acme:
            if (!has(Evidence::Kind::account_key)) return Finding::refuse(ProblemKind::forbidden, what, "no signature of an account key");
            return Finding::pass(what);
        case Protocol::system:
            if (!has(Evidence::Kind::system) || in.account->method != AccountMethod::system)
                return Finding::refuse(ProblemKind::forbidden, what, "only the server itself enrolls here");
            return Finding::pass(what);
        case Protocol::scep:
            if (has(Evidence::Kind::certificate)) return Finding::pass(what);
            if (has(Evidence::Kind::intune) && in.account->method == AccountMethod::intune) return Finding::pass(what);
            if (has(Evidence::Kind::challenge) && judges_challenges(in.account->method)) return Finding::pass(what);
            if (in.account->method == AccountMethod::open) return Finding::pass(what + ": an open account, anybody may");
            return Finding::refuse(ProblemKind::forbidden, what, "neither a challenge nor a certificate of this endpoint");
        case Protocol::est:
            if (has(Evidence::Kind::certificate)) return Finding::pass(what);
            if (has(Evidence::Kind::password) && in.account->method == AccountMethod::basic) return Finding::pass(what);
            if (has(Evidence::Kind::manufacturer) && in.account->method == AccountMethod::certificate) return Finding::pass(what);
            if (has(Evidence::Kind::challenge) && in.account->method == AccountMethod::one_time) return Finding::pass(what);
            if (in.account->method == AccountMethod::open) return Finding::pass(what + ": an open account, anybody may");
            return Finding::refuse(ProblemKind::forbidden, what, "neither a password, nor a token, nor a certificate");
        case Protocol::rest: break;
    }
    return Finding::refuse(ProblemKind::forbidden, what, "no evidence is defined for this protocol");
}

}  // namespace postern::ra::checks
