#include "ra/policy/policy.hpp"

#include <algorithm>

#include "ra/policy/checks.hpp"
#include "ra/policy/names_check.hpp"

namespace postern::ra {

namespace {

/// Design §3's order. Checks that need names alone stand in check_names, which newOrder asks too.
constexpr std::array before_names{
    Check{"tenant.active", &checks::tenant_active},
    Check{"endpoint.active", &checks::endpoint_active},
    Check{"account.active", &checks::account_active},
    Check{"account.binding", &checks::account_bound},
    Check{"account.organization", &checks::organization_active},
    Check{"evidence.sufficient", &checks::evidence_sufficient},
    Check{"profile.allowed", &checks::profile_allowed},
    Check{"profile.backend", &checks::backend_known},
    Check{"profile.term", &checks::term_within},
    Check{"key.allowed", &checks::key_allowed},
    Check{"names.form", &checks::names_well_formed},
    Check{"csr.alternative_names", &checks::alternative_name_types},
    Check{"names.agreed", &checks::names_agreed},
};
constexpr std::array after_names{
    Check{"names.proven", &checks::names_proven},
    Check{"subject.common_name", &checks::subject_common_name},
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
    if (finding.verdict == Verdict::pass) return {};
    core::Problem problem(finding.kind, finding.reason, std::string(check));
    problem.subproblems = std::move(finding.subproblems);
    return problem;
}

const Profile* choose_profile(const EnrollmentRequest& request, const Catalog& catalog, const Endpoint* endpoint,
                              const Account* account) {
    if (!endpoint || !account) return nullptr;
    if (!request.profile.empty()) return catalog.profile(endpoint->tenant, request.profile);
    for (const auto& name : endpoint->profiles) {
        const auto& own = account->profiles;
        if (own.empty() || std::find(own.begin(), own.end(), name) != own.end()) return catalog.profile(endpoint->tenant, name);
    }
    return nullptr;
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
