#include "ra/policy/policy.hpp"

#include <algorithm>

#include "ra/policy/checks.hpp"
#include "ra/policy/early.hpp"

namespace postern::ra {

namespace {

/// Design §3's order. Those marked need neither evidence nor a CSR: newOrder asks them too, and the
/// checks of names between the two lists.
constexpr bool early = true;
constexpr std::array before_names{
    Check{"tenant.active", &checks::tenant_active, early},
    Check{"endpoint.active", &checks::endpoint_active, early},
    Check{"account.active", &checks::account_active, early},
    Check{"account.binding", &checks::account_bound, early},
    Check{"requester.active", &checks::requester_active},
    Check{"account.organization", &checks::organization_active, early},
    Check{"evidence.sufficient", &checks::evidence_sufficient},
    Check{"intune.kind", &checks::intune_kind},
    Check{credential_over_check, &checks::credential_stands},
    Check{"device.allowed", &checks::device_allowed},
    Check{"profile.allowed", &checks::profile_allowed, early},
    Check{"profile.paused", &checks::profile_not_paused, early},
    Check{"profile.backend", &checks::backend_known, early},
    Check{"profile.term", &checks::term_within, early},
    Check{"key.allowed", &checks::key_allowed},
    Check{"key.blocked", &checks::key_not_blocked},
    Check{"key.reuse", &checks::key_not_reused},
    Check{"csr.extensions", &checks::extensions_harmless},
    Check{"csr.attributes", &checks::attributes_ignored},
    Check{"subject.text", &checks::subject_text},
    Check{"subject.form", &checks::subject_form},
    Check{"names.form", &checks::names_well_formed, early},
    Check{"csr.alternative_names", &checks::alternative_name_types},
    Check{"csr.security_identifier", &checks::security_identifier},
    Check{"names.agreed", &checks::names_agreed},
    Check{"challenge.binding", &checks::binding_kept},
    Check{"device.names", &checks::device_named},
};
constexpr std::array after_names{
    Check{"names.provable", &checks::names_provable, early},
    Check{"names.proven", &checks::names_proven},
    Check{"subject.common_name", &checks::subject_common_name},
    Check{"subject.fields", &checks::subject_fields},
    Check{"approval.officer", &checks::approval_rule},
};

/// The check is named by the reason: whoever reads it knows what to open.
core::Result<void> check_gate(const PolicyInput& in, Trace& trace) {
    if (!in.gate) return record("issuing.open", Finding::pass("gate open"), trace);
    trace.add(TraceEntry(in.gate->check, "gate shut", Verdict::refuse, in.gate->why));
    return in.gate->problem();
}

}  // namespace

core::Result<void> record(std::string_view check, Finding finding, Trace& trace) {
    trace.add(TraceEntry(std::string(check), finding.input, finding.verdict, finding.reason));
    if (finding.verdict != Verdict::refuse) return {};
    core::Problem problem(finding.kind, finding.reason, std::string(check));
    problem.subproblems = std::move(finding.subproblems);
    problem.retry_after = finding.retry_after;
    return problem;
}

const Profile* choose_profile(const EnrollmentRequest& request, const Catalog& catalog, const Endpoint* endpoint,
                              const Account* account) {
    if (!endpoint || !account) return nullptr;
    if (request.ra_profile && request.via == Protocol::system) return catalog.profile(*request.ra_profile);
    if (!request.profile.empty()) return catalog.profile(endpoint->tenant, request.profile);
    for (const auto& name : endpoint->profiles) {
        const auto& own = account->profiles;
        if (own.empty() || std::find(own.begin(), own.end(), name) != own.end()) return catalog.profile(endpoint->tenant, name);
    }
    return nullptr;
}

core::Result<void> decide_early(const EnrollmentRequest& request, const Catalog& catalog, const ca::Backends& backends,
                                const Account* account, core::TimePoint now, Trace& trace) {
    const auto* endpoint = catalog.endpoint(request.endpoint);
    const auto* tenant = endpoint ? catalog.tenant(endpoint->tenant) : nullptr;
    const auto* profile = choose_profile(request, catalog, endpoint, account);
    PolicyInput in{request, catalog, backends, tenant, endpoint, account, profile, now, request.agreed_names.value(), {}, {}};
    for (const auto& check : before_names) {
        if (!check.early) continue;
        if (auto r = record(check.name, check.run(in), trace); !r) return r;
    }
    if (auto r = check_names(catalog, *account, *profile, in.names, trace); !r) return r;
    for (const auto& check : after_names)
        if (check.early)
            if (auto r = record(check.name, check.run(in), trace); !r) return r;
    return {};
}

core::Result<void> decide(const PolicyInput& in, Trace& trace) {
    if (auto r = check_gate(in, trace); !r) return r;
    for (const auto& check : before_names)
        if (auto r = record(check.name, check.run(in), trace); !r) return r;
    if (auto r = check_names(in.catalog, *in.account, *in.profile, in.names, trace); !r) return r;
    for (const auto& check : after_names)
        if (auto r = record(check.name, check.run(in), trace); !r) return r;
    return {};
}

}  // namespace postern::ra
