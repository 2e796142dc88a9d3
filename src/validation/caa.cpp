#include "validation/caa.hpp"

namespace postern::validation {

using core::Problem;
using core::ProblemKind;
using core::Result;

namespace {

std::string_view without_wildcard(std::string_view name) { return name.starts_with("*.") ? name.substr(2) : name; }

class Lookup final : public Caa {
public:
    Lookup(dns::Resolver& resolver, observe::Metrics& metrics) : resolver_(resolver), metrics_(metrics) {}

    core::Task<Finding> check(CaaQuestion question, core::Deadline deadline) override {
        Finding out;
        auto climbing = climb(question, deadline, out.steps);
        out.verdict = co_await std::move(climbing);
        out.passing = !out.verdict && out.verdict.error().kind != ProblemKind::caa;
        const std::string_view result = out.verdict ? "permitted" : core::to_string(out.verdict.error().kind);
        metrics_.counter("postern_caa_total", "CAA look-ups by outcome.", {{"result", result}}).add();
        co_return out;
    }

private:
    /// RFC 8659 §3. A look-up that fails below the records that permit might have found others.
    core::Task<Result<void>> climb(const CaaQuestion& question, core::Deadline deadline, std::vector<std::string>& steps) {
        std::string owner(without_wildcard(question.name));
        for (;;) {
            const Result<dns::Answer> answer = co_await resolver_.lookup(owner, dns::RecordType::caa, deadline);
            const Result<std::vector<dns::CaaRecord>> records = answer ? dns::caa_records(*answer) : Result<std::vector<dns::CaaRecord>>(answer.error());
            if (!records) {
                steps.push_back("CAA of " + owner + ": " + records.error().detail);
                const bool says_nothing = records.error().kind == ProblemKind::unavailable;
                co_return Problem(says_nothing ? ProblemKind::unavailable : ProblemKind::dns, "While looking up CAA for " + owner + ": " + records.error().detail, "names.caa");
            }
            if (!records->empty()) {
                auto verdict = judge_caa(*records, owner, question);
                steps.push_back("CAA of " + owner + ": " + (verdict ? "permits this CA" : verdict.error().detail));
                co_return verdict;
            }
            const auto dot = owner.find('.');
            if (dot == std::string::npos) break;
            owner.erase(0, dot + 1);
        }
        steps.push_back("CAA of " + question.name + ": none up to its top-level name");
        co_return Result<void>();
    }

    dns::Resolver& resolver_;
    observe::Metrics& metrics_;
};

}  // namespace

std::unique_ptr<Caa> make_caa(dns::Resolver& resolver, observe::Metrics& metrics) { return std::make_unique<Lookup>(resolver, metrics); }

}  // namespace postern::validation
