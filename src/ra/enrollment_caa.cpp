#include <algorithm>

#include "core/async/deadline.hpp"
#include "ra/caa.hpp"
#include "ra/enrollment_steps.hpp"

/// The owners of names are asked before issuance, where a profile wants it and their last word is too old.
namespace postern::ra {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

/// All names of one request together; a deadline of the request ends it earlier.
constexpr std::chrono::seconds asking_time{20};

/// What proved the name, or that it is granted; null where an account's scope alone speaks for it.
const Evidence* proof_of(const std::vector<Evidence>& evidence, const crypto::GeneralName& name) {
    for (const auto& e : evidence)
        if (of_a_name(e.kind) && e.identifier_type == crypto::to_string(name.type) && e.identifier == name.value) return &e;
    return nullptr;
}

/// Every name that may not be issued, with the most definite of the reasons on top.
Problem told(std::vector<core::Subproblem> refused) {
    const auto worse = [](const core::Subproblem& a, const core::Subproblem& b) { return a.kind == ProblemKind::caa && b.kind != ProblemKind::caa; };
    const auto& first = *std::min_element(refused.begin(), refused.end(), worse);
    Problem out(first.kind, first.detail, std::string(caa_check));
    if (refused.size() > 1) out.detail += " (and " + std::to_string(refused.size() - 1) + " more, see subproblems)";
    out.subproblems = std::move(refused);
    return out;
}

}  // namespace

std::optional<validation::CaaQuestion> caa_question(const Profile& profile, const crypto::GeneralName& name, std::string method, std::string account_url) {
    if (!profile.caa || name.type != crypto::GeneralNameType::dns) return std::nullopt;
    validation::CaaQuestion question;
    question.name = name.value;
    question.identities = profile.caa_identities;
    question.method = std::move(method);
    question.account_url = std::move(account_url);
    return question;
}

Task<Result<void>> Enrollment::check_caa(Attempt& a) {
    if (!a.profile->caa || a.request.via == Protocol::system) co_return Result<void>();
    auto until = core::deadline_in(asking_time);
    if (a.request.deadline != core::Deadline()) until = core::earlier(until, a.request.deadline);
    std::vector<core::Subproblem> refused;
    for (const auto& name : a.authorized->content().names) {
        const Evidence* proof = proof_of(a.request.evidence, name);
        auto question = caa_question(*a.profile, name, proof ? proof->method : std::string(), proof ? proof->account_url : std::string());
        if (!question) continue;
        if (proof != nullptr && proof->caa && *proof->caa > a.now - caa_age) {
            a.trace.add(TraceEntry(std::string(caa_check), name.value + ", asked at " + core::rfc3339(*proof->caa), Verdict::pass, {}));
            continue;
        }
        if (deps_.caa == nullptr) co_return Problem(ProblemKind::unavailable, "nobody here can look up CAA records", std::string(caa_check));
        auto asking = deps_.caa->check(std::move(*question), until);
        const auto finding = co_await std::move(asking);
        std::string seen = name.value;
        for (const auto& step : finding.steps) seen += "; " + step;
        a.trace.add(TraceEntry(std::string(caa_check), std::move(seen), finding.verdict ? Verdict::pass : Verdict::refuse,
                               finding.verdict ? std::string() : finding.verdict.error().detail));
        if (!finding.verdict && finding.verdict.error().kind == ProblemKind::unavailable) co_return finding.verdict.error();
        if (!finding.verdict) refused.emplace_back(finding.verdict.error().kind, finding.verdict.error().detail, "dns", name.value);
    }
    if (refused.empty()) co_return Result<void>();
    co_return told(std::move(refused));
}

}  // namespace postern::ra
