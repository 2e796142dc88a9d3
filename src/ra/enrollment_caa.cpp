#include <algorithm>

#include "core/async/crew.hpp"
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
/// Names that are looked up side by side.
constexpr std::size_t asked_at_once = 8;

/// Shared with the look-ups, which may outlive a request that is given up.
struct Asking {
    Asking(validation::Caa& c, core::Deadline u) : caa(c), until(u) {}
    validation::Caa& caa;
    core::Deadline until;
    std::vector<validation::CaaQuestion> questions;
    std::vector<std::optional<validation::Finding>> findings;  ///< of each question; nullopt: not asked in time
};

Task<void> look_up(std::shared_ptr<Asking> asking, std::size_t index) {
    if (std::chrono::steady_clock::now() >= asking->until) co_return;
    auto looking = asking->caa.check(asking->questions[index], asking->until);
    auto finding = co_await std::move(looking);
    // What the end of the time cut off says nothing about the name.
    const bool cut_off = !finding.verdict && finding.verdict.error().kind != ProblemKind::caa && std::chrono::steady_clock::now() >= asking->until;
    if (!cut_off) asking->findings[index] = std::move(finding);
}

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
    std::vector<validation::CaaQuestion> questions;
    for (const auto& name : a.authorized->content().names) {
        const Evidence* proof = proof_of(a.request.evidence, name);
        auto question = caa_question(*a.profile, name, proof ? proof->method : std::string(), proof ? proof->account_url : std::string());
        if (!question) continue;
        if (proof != nullptr && proof->caa && *proof->caa > a.now - caa_age)
            a.trace.add(TraceEntry(std::string(caa_check), name.value + ", asked at " + core::rfc3339(*proof->caa), Verdict::pass, {}));
        else
            questions.push_back(std::move(*question));
    }
    if (questions.empty()) co_return Result<void>();
    if (deps_.caa == nullptr || deps_.tasks == nullptr) co_return Problem(ProblemKind::unavailable, "nobody here can look up CAA records", std::string(caa_check));
    const auto asking = std::make_shared<Asking>(*deps_.caa, until);
    asking->questions = std::move(questions);
    asking->findings.resize(asking->questions.size());
    std::function<Task<void>(std::size_t)> each = [asking](std::size_t index) { return look_up(asking, index); };
    auto all = core::run_crew(*deps_.tasks, asking->questions.size(), asked_at_once, std::move(each));
    co_await std::move(all);

    std::vector<core::Subproblem> refused;
    std::optional<Problem> unasked;
    for (std::size_t i = 0; i < asking->questions.size(); ++i) {
        const auto& name = asking->questions[i].name;
        const auto& finding = asking->findings[i];
        if (!finding) {
            unasked = Problem(ProblemKind::unavailable, "CAA records were not found out in time, among others of " + name + "; ask again", std::string(caa_check));
            a.trace.add(TraceEntry(std::string(caa_check), name, Verdict::refuse, unasked->detail));
            continue;
        }
        std::string seen = name;
        for (const auto& step : finding->steps) seen += "; " + step;
        a.trace.add(TraceEntry(std::string(caa_check), std::move(seen), finding->verdict ? Verdict::pass : Verdict::refuse,
                               finding->verdict ? std::string() : finding->verdict.error().detail));
        if (finding->verdict) continue;
        const auto& why = finding->verdict.error();
        if (why.kind == ProblemKind::unavailable) unasked = why;
        else refused.emplace_back(why.kind, why.detail, "dns", name);
    }
    // An owner's no is final, whatever was not found out about other names.
    const bool forbidden = std::any_of(refused.begin(), refused.end(), [](const core::Subproblem& s) { return s.kind == ProblemKind::caa; });
    if (unasked && !forbidden) co_return std::move(*unasked);
    if (refused.empty()) co_return Result<void>();
    co_return told(std::move(refused));
}

}  // namespace postern::ra
