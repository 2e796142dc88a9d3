#include "est/passwords.hpp"

#include "core/http/source.hpp"

namespace postern::est {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

Problem too_many_tries(std::string_view of_what, std::chrono::seconds wait) {
    Problem slow(ProblemKind::rate_limited, "too many wrong " + std::string(of_what) + " from this address", std::string(tries_check));
    slow.retry_after = wait;
    return slow;
}

ra::SlowDown::Try attempt_password(Parts& parts, const Call& call, const std::string& user, std::string digest) {
    return parts.slow_down.attempt(http::source_of(call.request.peer.address), call.endpoint.name + " " + user, std::move(digest));
}

Task<Result<std::optional<ra::Account>>> judge_chosen(Parts& parts, const Call& call, core::SecretText password, std::vector<ra::Account> accounts,
                                                      ra::SlowDown::Try attempt) {
    for (auto& account : accounts) {
        auto asked = account;
        core::SecretText given = password.clone();
        auto source = http::source_of(call.request.peer.address);
        const auto verdict = co_await parts.chosen_passwords.judge(std::move(asked), std::move(given), std::move(source), call.request.deadline);
        if (!verdict) co_return verdict.error();
        if (*verdict != ra::ChosenCodes::Verdict::right) {
            attempt.stays();
            continue;
        }
        attempt.right();
        co_return std::optional<ra::Account>(std::move(account));
    }
    attempt.wrong();
    co_return std::optional<ra::Account>();
}

}  // namespace postern::est
