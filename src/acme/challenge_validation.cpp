#include "acme/challenge_validation.hpp"

#include <boost/asio/this_coro.hpp>

#include "acme/render.hpp"
#include "core/async/deadline.hpp"
#include "ra/caa.hpp"
#include "ra/trace.hpp"

namespace postern::acme {

namespace {

/// How long a name may take to answer, all redirects included.
constexpr std::chrono::seconds validation_time{20};
/// After that long an attempt that nobody ended is over: another node makes the next one.
constexpr std::chrono::seconds attempt_time{60};
/// Posts bring attempts forward (RFC 8555 §8.2), and this is where that ends.
constexpr std::int64_t most_attempts = 20;
/// Of 100 challenges: how many one look for those that are due goes through.
constexpr int most_pages = 20;
/// While the store is away. Then the next start, or another node, takes the challenge up.
constexpr std::chrono::minutes store_patience{2};
constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{8000};

/// One attempt at a challenge and what it found.
struct Attempt {
    explicit Attempt(store::AcmeChallengeWork w) : work(std::move(w)), row(work.challenge), attempts_stored(row.attempts) {}
    store::AcmeChallengeWork work;       ///< as it was read
    store::AcmeChallengeRow row;         ///< with the attempt begun
    std::int64_t attempts_stored;        ///< what the store counts while this is the last attempt
    validation::Finding finding;
    std::optional<core::TimePoint> caa;  ///< when CAA permitted the name
};

const ra::Profile* profile_of(const ra::Catalog* catalog, const store::AcmeChallengeWork& work) {
    const ra::Endpoint* endpoint = catalog ? catalog->endpoint(work.endpoint) : nullptr;
    return endpoint != nullptr ? catalog->profile(endpoint->tenant, work.authorization.profile) : nullptr;
}

/// The account as its owner knows it. Empty once the endpoint is gone, and then nothing is issued.
std::string account_url(const Parts& parts, const ra::Catalog* catalog, const store::AcmeChallengeWork& work) {
    const ra::Endpoint* endpoint = catalog ? catalog->endpoint(work.endpoint) : nullptr;
    return endpoint != nullptr ? Urls(parts.deps.https_base, endpoint->name).account(work.account_token) : std::string();
}

validation::Question question_for(const Parts& parts, const store::AcmeChallengeWork& work) {
    validation::Question q;
    q.method = work.challenge.type;
    q.identifier_type = work.authorization.identifier_type;
    q.identifier = work.authorization.identifier;
    q.token = work.challenge.token;
    q.key_authorization = work.challenge.token + "." + work.thumbprint;  // RFC 8555 §8.1
    const auto catalog = parts.deps.catalog.current();
    q.account_url = account_url(parts, catalog.get(), work);
    const ra::Profile* profile = profile_of(catalog.get(), work);
    q.private_targets = profile != nullptr && profile->private_targets;
    return q;
}

/// When the next attempt comes after one that failed at `now`; nullopt: there was the last.
std::optional<core::TimePoint> next_attempt(const std::vector<std::chrono::milliseconds>& retries, const store::AcmeChallengeRow& row, core::TimePoint now) {
    if (row.attempts >= most_attempts) return std::nullopt;
    auto due = row.begun.value_or(now);
    for (const auto pause : retries)
        if ((due += pause) > now) return due;
    return std::nullopt;
}

/// A resolver or a store that is away says nothing about the name: the client may post the challenge again.
bool says_nothing(const core::Result<void>& verdict) {
    return !verdict && (verdict.error().kind == core::ProblemKind::unavailable ||
                        verdict.error().kind == core::ProblemKind::internal);
}

/// What a record keeps of a validation: strangers decide how long the parts are.
constexpr std::size_t steps_kept = 64;
constexpr std::size_t step_octets = 512;

/// What refused: the challenge's method, or the check that came after it.
std::string check_of(const store::AcmeChallengeWork& work, const core::Problem& problem) {
    return problem.check.empty() ? "validation." + work.challenge.type : problem.check;
}

std::string audit_detail(const store::AcmeChallengeWork& work, const validation::Finding& finding) {
    ra::Trace trace;
    trace.add(ra::TraceEntry(finding.verdict ? "validation." + work.challenge.type : check_of(work, finding.verdict.error()), work.authorization.identifier,
                             finding.verdict ? ra::Verdict::pass : ra::Verdict::refuse,
                             finding.verdict ? std::string() : std::string(as_recorded(finding.verdict.error().detail))));
    json::Writer w;
    w.begin_object().key("trace").raw(trace.to_json());
    w.key("steps").begin_array();
    for (std::size_t i = 0; i < finding.steps.size() && i < steps_kept; ++i) w.string(std::string_view(finding.steps[i]).substr(0, step_octets));
    if (finding.steps.size() > steps_kept) w.string("and " + std::to_string(finding.steps.size() - steps_kept) + " more");
    w.end_array().end_object();
    return w.take();
}

/// `again`: there will be another attempt.
ra::AuditRecord audit_of(const Parts& parts, const store::AcmeChallengeWork& work, const validation::Finding& finding,
                         const core::RequestId& request, core::TimePoint now, bool again) {
    ra::AuditRecord r;
    r.at = now;
    r.request = request;
    const auto catalog = parts.deps.catalog.current();
    if (const ra::Endpoint* endpoint = catalog ? catalog->endpoint(work.endpoint) : nullptr) r.tenant = endpoint->tenant;
    r.actor = ra::Actor("acme_account", work.account_token);
    r.action = finding.verdict ? "authorization.valid" : says_nothing(finding.verdict) ? "authorization.unanswered" : again ? "authorization.attempted" : "authorization.invalid";
    r.object_kind = "acme_authorization";
    r.object_id = work.authorization.token;
    if (!finding.verdict) {
        r.outcome = says_nothing(finding.verdict) ? ra::AuditRecord::Outcome::failed : ra::AuditRecord::Outcome::refused;
        r.check = check_of(work, finding.verdict.error());
    }
    r.detail = audit_detail(work, finding);
    return r;
}

/// A proven name whose owner may have a say in who certifies it (RFC 8659). `caa`: when the records permitted it.
core::Task<void> ask_owner(const Parts& parts, const store::AcmeChallengeWork& work, validation::Finding& finding,
                           std::optional<core::TimePoint>& caa, core::Deadline until) {
    const auto catalog = parts.deps.catalog.current();
    const ra::Profile* profile = profile_of(catalog.get(), work);
    if (profile == nullptr) co_return;
    const bool address = work.authorization.identifier_type == "ip";
    const crypto::GeneralName name(address ? crypto::GeneralNameType::ip : crypto::GeneralNameType::dns,
                                   (work.authorization.wildcard ? "*." : "") + work.authorization.identifier);
    auto question = ra::caa_question(*profile, name, work.challenge.type, account_url(parts, catalog.get(), work));
    if (!question) co_return;
    const auto now = parts.now();
    auto asking = parts.deps.caa.check(std::move(*question), until);
    auto said = co_await std::move(asking);
    finding.verdict = said.verdict;
    finding.passing = said.passing;
    finding.steps.insert(finding.steps.end(), said.steps.begin(), said.steps.end());
    if (said.verdict) caa = now;
}

/// What a challenge shows of an attempt that failed.
Error shown_error(const store::AcmeChallengeWork& work, const core::Problem& problem) {
    Error error = to_error(problem);
    error.detail = std::string(as_recorded(error.detail));
    error.check = check_of(work, problem);
    return error;
}

/// Challenge, authorization and order move together (RFC 8555 §7.1.6).
void add_valid(store::Batch& batch, store::AcmeChallengeRow& row, std::optional<core::TimePoint> caa, core::TimePoint now) {
    row.status = "valid";
    row.validated = now;
    row.error.reset();
    batch.add(store::acme_challenge_valid, store::values(row.id, now));
    batch.add(store::acme_authorization_valid, store::values(row.authorization, now, caa));
    batch.add(store::acme_order_touch, store::values(row.authorization, now), store::Expect::any);
    batch.add(store::acme_order_ready, store::values(row.authorization, now), store::Expect::any);
}

void add_invalid(store::Batch& batch, const Attempt& attempt, const core::Problem& problem, const core::RequestId& request,
                 core::TimePoint now, store::AcmeChallengeRow& row) {
    const auto& work = attempt.work;
    const Error error = shown_error(work, problem);
    row.status = "invalid";
    row.error = to_json(error, request);
    Error order_error = error;
    order_error.subproblems.emplace_back(problem.kind, error.detail, work.authorization.identifier_type, work.authorization.identifier);
    batch.add(store::acme_challenge_invalid, store::values(row.id, now, *row.error, attempt.attempts_stored));
    batch.add(store::acme_authorization_invalid, store::values(row.authorization, now));
    batch.add(store::acme_order_fail, store::values(row.authorization, now, to_json(order_error, request)), store::Expect::any);
}

/// RFC 8555 §8.2: processing meanwhile, and the error says how the last attempt ended. One at which nobody could be asked says nothing.
void add_retry(store::Batch& batch, const Attempt& attempt, const core::Problem& problem, bool unanswered, const core::RequestId& request,
               core::TimePoint now, store::AcmeChallengeRow& row) {
    row.status = "processing";
    row.attempt_ends.reset();
    if (!unanswered) {
        Error error = shown_error(attempt.work, problem);
        error.detail += "; attempt " + std::to_string(row.attempts) + ", the next one follows at " + core::rfc3339(row.retry.value());
        row.error = to_json(error, request);
    }
    batch.add(store::acme_challenge_retry, store::values(row.id, now, row.attempts, row.begun, row.retry, row.error, attempt.attempts_stored));
}

/// Nobody could be asked, time and again: as if the challenge had not been posted, but that attempts have an end.
void add_unasked(store::Batch& batch, const Attempt& attempt, core::TimePoint now, store::AcmeChallengeRow& row) {
    row.status = "pending";
    row.error.reset();
    batch.add(store::acme_challenge_unasked, store::values(row.id, now, row.attempts, attempt.attempts_stored));
}

/// What the batch stores of an attempt; `row` becomes that.
store::Batch result_batch(const Attempt& attempt, const core::RequestId& request, core::TimePoint now, store::AcmeChallengeRow& row) {
    const auto& verdict = attempt.finding.verdict;
    store::Batch batch;
    row.updated = now;
    if (verdict) add_valid(batch, row, attempt.caa, now);
    else if (row.retry) add_retry(batch, attempt, verdict.error(), says_nothing(verdict), request, now, row);
    else if (says_nothing(verdict)) add_unasked(batch, attempt, now, row);
    else add_invalid(batch, attempt, verdict.error(), request, now, row);
    return batch;
}

/// Of all who would make the next attempt one does (V18): of this node the flight, of several the one that the store lets.
/// False: it is another's. `attempt` becomes the one that is begun.
core::Task<bool> take_attempt(const Parts& parts, Attempt& attempt, core::TimePoint now) {
    auto& row = attempt.row;
    if (parts.deps.several_nodes) {
        store::Batch batch;
        batch.add(store::acme_challenge_attempt, store::values(row.id, now, row.attempts, now + attempt_time));
        const auto taken = co_await parts.deps.db.write(std::move(batch));
        if (!taken) co_return false;
        ++attempt.attempts_stored;
    }
    ++row.attempts;
    if (!row.begun) row.begun = now;
    row.retry.reset();
    co_return true;
}

void warn_unavailable(const Parts& parts, const store::AcmeChallengeWork& work, const core::Problem& problem, const core::RequestId& request) {
    parts.deps.log.warning("validation_unavailable",
                           {{"identifier", work.authorization.identifier}, {"what", problem.detail}, observe::request(request)});
}

/// Asks the name. Nothing: there is nothing to ask, or another node is at it.
core::Task<std::optional<Attempt>> validate(const Parts& parts, Landing& landing, core::RequestId request) {
    const Deps& deps = parts.deps;
    // Read under the flight: what an earlier flight stored is seen, and nothing is asked twice.
    auto parameters = store::values(landing.token());
    const auto found = co_await store::read_one(deps.db, store::acme_challenge_work, std::move(parameters));
    if (!found) co_return std::nullopt;
    Attempt attempt(store::AcmeChallengeWork::from(*found));
    const auto& work = attempt.work;
    const bool elsewhere = work.challenge.attempt_ends && *work.challenge.attempt_ends > parts.now();
    if (elsewhere || !can_be_validated(work, parts.now())) {
        landing.set_result(work.challenge);
        co_return std::nullopt;
    }
    const bool taken = co_await take_attempt(parts, attempt, parts.now());
    if (!taken) co_return std::nullopt;

    const auto until = core::deadline_in(validation_time);
    auto question = question_for(parts, work);
    attempt.finding = co_await deps.validator.validate(std::move(question), until);
    if (attempt.finding.verdict) co_await ask_owner(parts, work, attempt.finding, attempt.caa, until);
    if (says_nothing(attempt.finding.verdict)) warn_unavailable(parts, work, attempt.finding.verdict.error(), request);
    co_return std::optional<Attempt>(std::move(attempt));
}

core::Task<void> keep(Parts& parts, const Attempt& attempt, Landing& landing, core::RequestId request) {
    const Deps& deps = parts.deps;
    // A proof dated by a clock in doubt could be believed for years.
    if (const auto agreed = deps.clock_agreement.check(); !agreed) {
        warn_unavailable(parts, attempt.work, agreed.error(), request);
        co_return;
    }

    const auto now = parts.now();
    const auto& finding = attempt.finding;
    store::AcmeChallengeRow row = attempt.row;
    const bool may_pass = !finding.verdict && (finding.passing || says_nothing(finding.verdict));
    if (may_pass) row.retry = next_attempt(deps.retries, row, now);
    const std::int64_t audit_id = co_await deps.numbers.next(store::Series::audit);
    auto batch = result_batch(attempt, request, now, row);
    ra::add_audit(batch, audit_id, audit_of(parts, attempt.work, finding, request, now, row.retry.has_value()));
    const auto written = co_await deps.db.write(std::move(batch));
    if (!written) co_return;  // decided elsewhere meanwhile: a later attempt, or deactivated
    if (row.status == "valid") parts.validations_valid.add();
    if (row.status == "invalid") parts.validations_invalid.add();
    landing.set_result(std::move(row));
}

/// A client waits for the result of its challenge without asking for another validation. A finding that the store was too far away
/// to keep is held until it can be: the attempt is taken, so nobody makes it anew before its time is over.
core::Task<void> validate_and_keep(std::shared_ptr<Parts> parts, Landing landing, core::RequestId request) {
    const auto give_up = core::deadline_in(store_patience);
    auto pause = first_pause;
    std::optional<Attempt> attempt;
    for (;;) {
        try {
            if (!attempt) attempt = co_await validate(*parts, landing, request);
            if (attempt) co_await keep(*parts, *attempt, landing, request);
            co_return;
        } catch (const core::Unavailable& fault) {
            if (std::chrono::steady_clock::now() >= give_up) throw;
            parts->deps.log.warning("validation_not_kept", {{"why", fault.what()}, observe::request(request)});
        }
        co_await core::sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

}  // namespace

bool can_be_validated(const store::AcmeChallengeWork& work, core::TimePoint now) {
    return (work.challenge.status == "pending" || work.challenge.status == "processing") &&
           status_of(work.authorization, now) == "pending";
}

std::shared_ptr<Flight> start_validation(Parts& parts, const store::AcmeChallengeWork& work, const core::RequestId& request,
                                         const core::Executor& executor) {
    const auto& token = work.challenge.token;
    auto [flight, first] = parts.flights.join(token, work.authorization.acme_account);
    if (first) {
        Landing landing(parts.flights, token, flight);
        parts.deps.tasks.spawn(executor, validate_and_keep(parts.shared_from_this(), std::move(landing), request));
    }
    return flight;
}

namespace {

/// Another challenge decided the authorization, or its time is over: nobody waits for this one.
core::Task<void> abandon(Parts& parts, const store::AcmeChallengeRow& challenge) {
    Error over(ErrorType::malformed, "the authorization ended while this challenge was being tried");
    over.check = "authorization.alive";
    store::Batch batch;
    batch.add(store::acme_challenge_invalid, store::values(challenge.id, parts.now(), to_json(over, core::RequestId()), challenge.attempts), store::Expect::any);
    const auto written = co_await parts.deps.db.write(std::move(batch));
    written.value();
}

}  // namespace

core::Task<std::size_t> start_due(std::shared_ptr<Parts> parts) {
    const core::Executor executor = co_await boost::asio::this_coro::executor;
    std::size_t started = 0;
    if (!parts->deps.clock_agreement.check()) co_return started;
    // Where the last look stopped, so that nobody's many keep others waiting.
    std::int64_t after = parts->due_after.exchange(0);
    for (int pages = 0; pages < most_pages; ++pages) {
        auto parameters = store::values(after, parts->now());
        const auto rows = co_await parts->deps.db.read(store::acme_challenges_due, std::move(parameters));
        if (rows.empty()) co_return started;
        for (const auto& row : rows) {
            const auto work = store::AcmeChallengeWork::from(row);
            if (!can_be_validated(work, parts->now())) {
                co_await abandon(*parts, work.challenge);
            } else if (parts->flights.full()) {
                parts->due_after = after;
                co_return started;
            } else if (start_validation(*parts, work, parts->deps.random.request_id(), executor)) {
                ++started;
            }
            after = work.challenge.id.get();
        }
    }
    parts->due_after = after;
    co_return started;
}

}  // namespace postern::acme
