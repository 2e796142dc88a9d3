#include "scep/challenges.hpp"

#include "core/base/encoding.hpp"
#include "core/http/source.hpp"
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

/// One guess, as it counts for the key and for the source.
struct Guess {
    Guess(ra::SlowDown::Try key, ra::SlowDown::Try source) : of_key(std::move(key)), of_source(std::move(source)) {}
    ra::SlowDown::Try of_key, of_source;

    void right() {
        of_key.right();
        of_source.taken_back();
    }
    void wrong() {
        of_key.wrong();
        of_source.wrong();
    }
    void stays() noexcept {
        of_key.stays();
        of_source.stays();
    }
};

/// Those accounts of an endpoint that must be asked one by one, of which there are few.
struct Judges {
    Judges() = default;
    std::vector<ra::Account> chosen;
    std::optional<ra::Account> webhook;
    [[nodiscard]] bool none() const noexcept { return chosen.empty() && !webhook; }
};

Task<Judges> judges_of(Parts& parts, const Call& call) {
    Judges out;
    auto of_endpoint = store::values(call.endpoint.id);
    const auto rows = co_await parts.deps.db.read(store::account_judging, std::move(of_endpoint));
    for (const auto& row : rows) {
        auto account = ra::read_account(store::ObjectRow::from(row));
        if (!account) continue;  // unreadable denies
        if (account->method == ra::AccountMethod::webhook)
            out.webhook = std::move(*account);
        else if (!account->secret_sealed.empty())  // no secret denies, it never means "no check"
            out.chosen.push_back(std::move(*account));
    }
    co_return out;
}

Task<Result<std::optional<Leave>>> judge_each(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr, Judges judges, Guess& guess) {
    const auto& challenge = csr.challenge_password();
    for (auto& account : judges.chosen) {
        core::SecretText code(challenge);
        auto source = http::source_of(call.request.peer.address);
        const auto verdict = co_await parts.chosen_codes.judge(account, std::move(code), std::move(source), call.request.deadline);
        if (!verdict) co_return verdict.error();
        if (*verdict == ra::ChosenCodes::Verdict::wrong) {
            guess.stays();
            continue;
        }
        auto presented = "chosen " + std::to_string(account.id.get()) + " " + std::to_string(account.version);
        co_return std::optional<Leave>(leave_of(parts, std::move(account), std::move(presented)));
    }
    auto& webhook = judges.webhook;
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

/// One that was drawn here; nullopt: none such.
Task<std::optional<Leave>> find_drawn(Parts& parts, const Call& call, const crypto::Csr& csr) {
    const auto& challenge = csr.challenge_password();
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
    co_return std::optional<Leave>();
}

}  // namespace

ra::SlowDown::Try attempt_challenge(Parts& parts, const Call& call, const crypto::Csr& csr) {
    return parts.slow_down.attempt(http::source_of(call.request.peer.address), call.endpoint.name + " " + core::hex(csr.key().spki_sha256()),
                                   ra::access_code_id(parts.deps.sealer, call.endpoint.id, csr.challenge_password()));
}

ra::SlowDown::Try attempt_of_source(Parts& parts, ra::SlowDown& of, const Call& call, const crypto::Csr& csr) {
    return of.attempt_of_fleet(http::source_of(call.request.peer.address), call.endpoint.name,
                                          ra::access_code_id(parts.deps.sealer, call.endpoint.id, csr.challenge_password()));
}

Problem too_many_tries(std::string_view whose, std::chrono::seconds wait) {
    return {ProblemKind::rate_limited, "too many wrong challenges " + std::string(whose) + "; wait " + std::to_string(wait.count()) + " s", "challenge.tries"};
}

Task<Result<Leave>> leave_by_challenge(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr) {
    const auto& challenge = csr.challenge_password();
    const bool possible = !challenge.empty() && challenge.size() <= longest_challenge;
    if (possible) {
        auto drawn = co_await find_drawn(parts, call, csr);
        if (drawn) co_return std::move(*drawn);
    }
    auto of_key = attempt_challenge(parts, call, csr);
    if (of_key.wait()) co_return too_many_tries("for this key from this address", *of_key.wait());
    auto judges = co_await judges_of(parts, call);
    if (!possible || judges.none()) {
        of_key.wrong();
        co_return unknown();
    }
    auto of_source = attempt_of_source(parts, parts.guesses, call, csr);
    if (of_source.wait()) co_return too_many_tries("from this address", *of_source.wait());
    Guess guess(std::move(of_key), std::move(of_source));
    auto found = co_await judge_each(parts, call, request, csr, std::move(judges), guess);
    if (!found && found.error().kind == ProblemKind::forbidden) guess.wrong();  // a webhook that says it in its own way
    if (!found) co_return found.error();
    if (!*found) {
        guess.wrong();
        co_return unknown();
    }
    guess.right();
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
