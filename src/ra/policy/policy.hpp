#pragma once
#include <optional>
#include <string>

#include "ca/backend.hpp"
#include "ca/content.hpp"
#include "core/base/result.hpp"
#include "ra/catalog.hpp"
#include "ra/enrollment.hpp"
#include "ra/trace.hpp"

/// The RA's decision (design §3): an ordered list of small pure checks, each recorded in the trace.
namespace postern::ra {

struct KeyBlock;

/// What the checks look at. Everything was read before; nothing here reads or waits.
struct PolicyInput {
    const EnrollmentRequest& request;
    const Catalog& catalog;
    const ca::Backends& backends;
    const Tenant* tenant = nullptr;      ///< null: absent
    const Endpoint* endpoint = nullptr;
    const Account* account = nullptr;
    const Profile* profile = nullptr;    ///< the one asked for, or the default of endpoint and account
    core::TimePoint now{};
    std::vector<crypto::GeneralName> names;  ///< what will be certified, normalized; see requested_names
    std::optional<core::Problem> names_problem;
    std::optional<IssuingGate::Reason> gate;  ///< what holds it shut
    const KeyBlock* key_block = nullptr;     ///< what was found on the blocklist (blocked_keys.hpp)
    bool requester_stands = true;            ///< what the evidence rests on (Evidence::requester)
};

/// One check's result.
struct Finding {
    Finding() = default;
    static Finding pass(std::string input) { return {Verdict::pass, core::ProblemKind::internal, std::move(input), {}}; }
    static Finding refuse(core::ProblemKind kind, std::string input, std::string reason) {
        return {Verdict::refuse, kind, std::move(input), std::move(reason)};
    }
    /// Allowed, once an officer has said yes as well.
    static Finding needs_approval(std::string input, std::string reason) {
        return {Verdict::needs_approval, core::ProblemKind::internal, std::move(input), std::move(reason)};
    }
    Verdict verdict = Verdict::pass;
    core::ProblemKind kind = core::ProblemKind::internal;
    std::string input;
    std::string reason;
    std::vector<core::Subproblem> subproblems;
    std::optional<std::chrono::seconds> retry_after;

private:
    Finding(Verdict v, core::ProblemKind k, std::string i, std::string r)
        : verdict(v), kind(k), input(std::move(i)), reason(std::move(r)) {}
};

struct Check {
    std::string_view name;
    Finding (*run)(const PolicyInput&);
    bool early = false;  ///< needs neither evidence nor a CSR
};

/// Profile that the request means: the named one, else the endpoint's first that the account may use.
const Profile* choose_profile(const EnrollmentRequest& request, const Catalog& catalog, const Endpoint* endpoint,
                              const Account* account);

/// How names of this request are normalized: only the server itself has names such as "localhost".
NameRules name_rules(const EnrollmentRequest& request);

/// Whether a name is the URI by which the profile takes a security identifier of Windows; checks::security_identifier has
/// judged whether this request may have it.
bool maps_identity(const Profile& profile, const crypto::GeneralName& name);

/// Whether the profile certifies that name, or the identity that it maps.
bool takes(const Profile& profile, const crypto::GeneralName& name);
/// The one spelling of a name; what is wrong with it (malformed, rejected_identifier). Kinds that the profile does not certify stay
/// as they are: csr.alternative_names refuses them. `profile` null: none is known yet.
core::Result<crypto::GeneralName> normal_form(const Profile* profile, const NameRules& rules, const crypto::GeneralName& name);

/// The names to certify: those agreed on, else the CSR's SANs and CN, normalized and each once.
/// Fills names_problem when one cannot be a name at all.
void fill_names(PolicyInput& input);

/// The checks that need names alone: count, kinds the profile allows, the account's scope and the
/// tenant's delegated domains. One subproblem a bad name.
core::Result<void> check_names(const Catalog& catalog, const Account& account, const Profile& profile,
                               const std::vector<crypto::GeneralName>& names, Trace& trace);

/// Runs the list in order, stopping at the first refusal; every check run is in `trace`. Allowed does not mean at once:
/// trace.needs_approval() says whether an officer must agree.
core::Result<void> decide(const PolicyInput& input, Trace& trace);

/// Steps "subject and SAN built" and dates. Only after decide() passed.
ca::Content resolve_content(const PolicyInput& input);

/// Runs one check and records it; a Problem that names the check when it refuses.
core::Result<void> record(std::string_view check, Finding finding, Trace& trace);

}  // namespace postern::ra
