#include "validation/methods.hpp"

#include <chrono>

namespace postern::validation {

Methods& Methods::add(std::string method, std::unique_ptr<Validator> validator) {
    auto seconds = metrics_.histogram("postern_validation_seconds", "Time of one validation.", {{"method", method}});
    known_.insert_or_assign(std::move(method), Known{std::move(validator), seconds});
    return *this;
}

core::Task<Finding> Methods::validate(Question question, core::Deadline deadline) {
    const std::string method = question.method;
    const auto found = known_.find(method);
    if (found == known_.end()) {
        Finding unknown;
        unknown.verdict = core::Problem(core::ProblemKind::internal, "nobody here validates by " + method);
        co_return unknown;
    }
    const auto begun = std::chrono::steady_clock::now();
    auto asking = found->second.validator->validate(std::move(question), deadline);
    Finding out = co_await std::move(asking);
    found->second.seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    const std::string_view result = out.verdict ? "valid" : core::to_string(out.verdict.error().kind);
    metrics_.counter("postern_validations_total", "Validations by outcome.", {{"method", method}, {"result", result}}).add();
    co_return out;
}

}  // namespace postern::validation
