#include "scep/challenges.hpp"

#include "core/base/encoding.hpp"
#include "ra/access_codes.hpp"
#include "ra/bodies.hpp"
#include "ra/challenge_webhook.hpp"
#include "ra/one_time_challenges.hpp"
#include "store/tables/scep_challenge.hpp"

namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

/// Longer than any of these; one that Intune seals is another endpoint's.
constexpr std::size_t longest_challenge = 255;

Problem unknown() { return {ProblemKind::forbidden, "the challenge is not known at this endpoint", "challenge.known"}; }

Leave leave_of(Parts& parts, ra::Account account, std::string presented) {
    Leave leave;
    leave.evidence = ra::Evidence::of(ra::Evidence::Kind::challenge, presented, parts.now());
    leave.presented = std::move(presented);
    leave.account = std::move(account);
    return leave;
}

Leave leave_of(Parts& parts, ra::PresentedChallenge found) {
    auto leave = leave_of(parts, std::move(found.account), "one-time " + found.row.token);
    leave.single_use = std::move(found.use);
    leave.binding = std::move(found.binding);
    leave.asked_by = ra::called(ra::Actor(found.row.actor_kind, found.row.actor));
    leave.profile = std::move(found.row.profile);
    const auto id = found.row.id;
    // Whoever withdraws it comes before the intent or after it.
    leave.claim = [id](store::Batch& batch, core::EnrollmentId) { batch.add(store::scep_challenge_guard, store::values(id)); };
    return leave;
}

/// The name under which a challenge that is nobody's here is known afterwards: of one that another program keeps.
std::string foreign_name(const Parts& parts, const ra::Account& account, const std::string& challenge) {
    const core::SecretBytes secret(core::Bytes(challenge.begin(), challenge.end()));
    return "webhook " + std::to_string(account.id.get()) + " " + core::base64url(parts.deps.sealer.lookup_hash("webhook-challenge", secret.expose()));
}

/// Accounts that must be asked one by one, of which there are few.
Task<Result<std::optional<Leave>>> judge_each(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr) {
    const auto& challenge = csr.challenge_password();
    auto of_endpoint = store::values(call.endpoint.id);
    const auto rows = co_await parts.deps.db.read(store::account_judging, std::move(of_endpoint));
    std::optional<ra::Account> webhook;
    for (const auto& row : rows) {
        auto account = ra::read_account(store::ObjectRow::from(row));
        if (!account) continue;  // unreadable denies
        if (account->method == ra::AccountMethod::webhook) {
            webhook = std::move(*account);
            continue;
        }
        if (account->secret_sealed.empty()) continue;  // no secret denies, it never means "no check"
        core::SecretText code(challenge);
        auto source = call.request.peer.address;
        const auto verdict = co_await parts.chosen_codes.judge(*account, std::move(code), std::move(source), call.request.deadline);
        if (!verdict) co_return verdict.error();
        if (*verdict == ra::ChosenCodes::Verdict::wrong) continue;
        auto presented = "chosen " + std::to_string(account->id.get()) + " " + std::to_string(account->version);
        co_return std::optional<Leave>(leave_of(parts, std::move(*account), std::move(presented)));
    }
    if (!webhook) co_return std::optional<Leave>();
    ra::WebhookQuestion question(call.endpoint.name, challenge, request.transaction_id(), csr);
    auto asked = *webhook;
    const auto verdict = co_await ra::ask_webhook(parts.deps.outbound, parts.deps.sealer, std::move(asked), std::move(question), parts.now(), call.request.deadline);
    if (!verdict) {
        parts.deps.log.warning("scep_webhook_failed", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"account", webhook->name}, {"why", verdict.error().detail}});
        co_return verdict.error();
    }
    if (!verdict->allow) co_return std::optional<Leave>();
    auto presented = foreign_name(parts, *webhook, challenge);
    auto leave = leave_of(parts, std::move(*webhook), std::move(presented));
    leave.binding = verdict->binding;
    leave.profile = verdict->profile;
    co_return std::optional<Leave>(std::move(leave));
}

/// nullopt: nobody knows it.
Task<Result<std::optional<Leave>>> judge(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr) {
    const auto& challenge = csr.challenge_password();
    if (challenge.empty() || challenge.size() > longest_challenge) co_return std::optional<Leave>();
    auto& deps = parts.deps;
    auto drawn = co_await ra::find_account_by_access_code(deps.db, deps.sealer, call.endpoint.id, challenge);
    if (drawn) {
        auto presented = drawn->public_id;
        co_return std::optional<Leave>(leave_of(parts, std::move(*drawn), std::move(presented)));
    }
    const auto spki = csr.key().spki_sha256();
    core::Bytes key(spki.begin(), spki.end());
    auto minted = co_await ra::find_one_time_challenge(deps.db, deps.sealer, call.endpoint.id, challenge, std::move(key), parts.now());
    if (minted) co_return std::optional<Leave>(leave_of(parts, std::move(*minted)));
    co_return co_await judge_each(parts, call, request, csr);
}

}  // namespace

ra::SlowDown::Try attempt_challenge(Parts& parts, const Call& call, const crypto::Csr& csr) {
    return parts.slow_down.attempt(call.endpoint.name + " " + call.request.peer.address + " " + core::hex(csr.key().spki_sha256()),
                                   ra::access_code_id(parts.deps.sealer, call.endpoint.id, csr.challenge_password()));
}

Problem too_many_tries(std::chrono::seconds wait) {
    return {ProblemKind::rate_limited, "too many wrong challenges for this key from this address; wait " + std::to_string(wait.count()) + " s", "challenge.tries"};
}

Task<Result<Leave>> leave_by_challenge(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr) {
    auto attempt = attempt_challenge(parts, call, csr);
    if (attempt.wait()) co_return too_many_tries(*attempt.wait());
    auto found = co_await judge(parts, call, request, csr);
    if (!found) co_return found.error();
    if (!*found) {
        attempt.wrong();
        co_return unknown();
    }
    attempt.right();
    co_return std::move(**found);
}

Task<std::optional<Leave>> leave_by_open_account(Parts& parts, const Call& call) {
    auto account = co_await ra::find_open_account(parts.deps.db, call.endpoint.id);
    if (!account) co_return std::nullopt;
    Leave leave;
    leave.presented = "open " + std::to_string(account->id.get());
    leave.account = std::move(*account);
    co_return std::optional<Leave>(std::move(leave));
}

}  // namespace postern::scep
