#include "azure/trouble.hpp"

#include <stdexcept>

namespace postern::azure {

void throw_exception_from_error(const Failure& failure, const boost::source_location& where) {
    throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": " + failure.detail);
}

std::string_view check_of(Trouble trouble) noexcept {
    switch (trouble) {
        case Trouble::unreachable: return "intune.unreachable";
        case Trouble::throttled: return "intune.throttled";
        case Trouble::unauthorized:
        case Trouble::credentials: return "intune.credentials";
        case Trouble::permission: return "intune.permission";
        case Trouble::gone:
        case Trouble::service: return "intune.service";
        case Trouble::rejected: return "intune.rejected";
        case Trouble::answer: return "intune.answer";
        case Trouble::breaker: return "intune.breaker";
        case Trouble::disabled: return "intune.disabled";
    }
    return "intune.answer";
}

core::Problem to_problem(const Failure& failure) {
    const auto kind = failure.trouble == Trouble::rejected ? core::ProblemKind::incorrect_response : core::ProblemKind::unavailable;
    core::Problem problem(kind, failure.detail, std::string(check_of(failure.trouble)));
    problem.retry_after = failure.retry_after;
    return problem;
}

}  // namespace postern::azure
