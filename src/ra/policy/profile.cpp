#include <algorithm>

#include "ra/policy/checks.hpp"

namespace postern::ra::checks {

using core::ProblemKind;

namespace {

/// The server enrolls the RA of an endpoint by the profile that this endpoint names for that, whosever it is.
Finding ra_profile_allowed(const PolicyInput& in) {
    const auto& profile = *in.profile;
    for (const auto& e : in.catalog.endpoints) {
        if (e.tenant != profile.tenant || !e.active || e.scep.ra != ScepSettings::Ra::profile || e.scep.ra_profile != profile.name) continue;
        if (!profile.active) return Finding::refuse(ProblemKind::invalid_profile, profile.name, "the profile is disabled");
        return Finding::pass(profile.name + " version " + std::to_string(profile.version) + ", the RA of endpoint " + e.name);
    }
    return Finding::refuse(ProblemKind::invalid_profile, profile.name, "no endpoint names this profile for its RA");
}

}  // namespace

Finding profile_allowed(const PolicyInput& in) {
    const auto& wanted = in.request.profile;
    if (!in.profile)
        return Finding::refuse(ProblemKind::invalid_profile, wanted.empty() ? "the default" : wanted,
                               wanted.empty() ? "neither endpoint nor account allows any profile" : "there is no such profile here");
    const auto& name = in.profile->name;
    if (in.request.ra_profile) return ra_profile_allowed(in);
    const auto lists = [&](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
    if (!lists(in.endpoint->profiles)) return Finding::refuse(ProblemKind::invalid_profile, name, "the endpoint does not offer this profile");
    if (!in.account->profiles.empty() && !lists(in.account->profiles))
        return Finding::refuse(ProblemKind::invalid_profile, name, "the account may not use this profile");
    if (!in.profile->active) return Finding::refuse(ProblemKind::invalid_profile, name, "the profile is disabled");
    return Finding::pass(name + " version " + std::to_string(in.profile->version));
}

Finding profile_not_paused(const PolicyInput& in) {
    if (!in.profile->paused) return Finding::pass(in.profile->name);
    auto refusal = Finding::refuse(ProblemKind::unavailable, in.profile->name + ", paused by request " + in.profile->paused->request.get(),
                                   "the profile is paused after a fault of its certificates (" + in.profile->paused->check +
                                       "); the administrator corrects it and resumes it");
    refusal.retry_after = std::chrono::hours(1);
    return refusal;
}

Finding backend_known(const PolicyInput& in) {
    if (!in.backends.find(in.profile->backend))
        return Finding::refuse(ProblemKind::unavailable, in.profile->backend, "no CA backend of that name is configured");
    return Finding::pass(in.profile->backend);
}

/// Refuses rather than shortens: a client that asked for dates gets those or a reason.
Finding term_within(const PolicyInput& in) {
    const auto begin = in.request.not_before.value_or(in.now);
    const auto end = in.request.not_after.value_or(begin + in.profile->lifetime);
    const auto what = core::rfc3339(begin) + " to " + core::rfc3339(end);
    if (begin < core::floor_seconds(in.now - in.profile->backdate))
        return Finding::refuse(ProblemKind::malformed, what, "notBefore lies further back than the profile's backdate");
    if (begin > in.now + in.profile->longest) return Finding::refuse(ProblemKind::malformed, what, "notBefore lies too far ahead");
    if (end <= begin || end <= in.now) return Finding::refuse(ProblemKind::malformed, what, "notAfter is not after notBefore and now");
    if (end - begin > in.profile->longest)
        return Finding::refuse(ProblemKind::malformed, what,
                               "longer than the profile's " + core::format_duration(in.profile->longest));
    return Finding::pass(what);
}

Finding key_allowed(const PolicyInput& in) {
    const auto& key = in.request.csr->key();
    const auto what = crypto::describe(key.type(), key.bits());
    std::string allowed;
    for (const auto& spec : in.profile->keys) {
        // RSA entries are the least size; a larger key is as good.
        if (spec.type == key.type() && (spec.type != crypto::KeyType::rsa || key.bits() >= spec.bits)) return Finding::pass(what);
        allowed += (allowed.empty() ? "" : ", ") + spec.to_string();
    }
    return Finding::refuse(ProblemKind::bad_public_key, what, "the profile takes " + allowed);
}

/// Renewed keys wear out: where the profile says so, a successor has one of its own.
Finding key_not_reused(const PolicyInput& in) {
    if (!in.profile->refuse_key_reuse) return Finding::pass("reuse allowed");
    const auto same = [&](const Evidence& e) {
        return (e.kind == Evidence::Kind::certificate || e.kind == Evidence::Kind::manufacturer) && e.key == in.request.csr->key().spki();
    };
    if (std::none_of(in.request.evidence.begin(), in.request.evidence.end(), same)) return Finding::pass("another key than the presented certificate's");
    return Finding::refuse(ProblemKind::forbidden, "the presented certificate's key", "the profile wants a new key for each certificate (key_reuse = \"refuse\")");
}

}  // namespace postern::ra::checks
