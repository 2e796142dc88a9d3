#include "acme/challenge_validation.hpp"

#include <boost/asio/this_coro.hpp>

#include "acme/render.hpp"
#include "core/async/deadline.hpp"
#include "ra/trace.hpp"

namespace postern::acme {

namespace {

/// How long a name may take to answer, all redirects included.
constexpr std::chrono::seconds validation_time{20};
/// While the store is away. Then the next start, or another node, takes the challenge up.
constexpr std::chrono::minutes store_patience{2};
constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{8000};

validation::Question question_for(const Parts& parts, const store::AcmeChallengeWork& work) {
    validation::Question q;
    q.method = work.challenge.type;
    q.identifier_type = work.authorization.identifier_type;
    q.identifier = work.authorization.identifier;
    q.token = work.challenge.token;
    q.key_authorization = work.challenge.token + "." + work.thumbprint;  // RFC 8555 §8.1
    const auto catalog = parts.deps.catalog.current();
    const ra::Endpoint* endpoint = catalog ? catalog->endpoint(work.endpoint) : nullptr;
    const ra::Profile* profile =
        endpoint != nullptr ? catalog->profile(endpoint->tenant, work.authorization.profile) : nullptr;
    q.private_targets = profile != nullptr && profile->private_targets;
    return q;
}

/// A resolver or a store that is away says nothing about the name: the challenge stays as it is and
/// the client may post it again.
bool says_nothing(const core::Result<void>& verdict) {
    return !verdict && (verdict.error().kind == core::ProblemKind::unavailable ||
                        verdict.error().kind == core::ProblemKind::internal);
}

/// What a record keeps of a validation: strangers decide how long the parts are.
constexpr std::size_t steps_kept = 64;
constexpr std::size_t step_octets = 512;

std::string audit_detail(const store::AcmeChallengeWork& work, const validation::Finding& finding) {
    ra::Trace trace;
    trace.add(ra::TraceEntry("validation." + work.challenge.type, work.authorization.identifier,
                             finding.verdict ? ra::Verdict::pass : ra::Verdict::refuse,
                             finding.verdict ? std::string() : finding.verdict.error().detail));
    json::Writer w;
    w.begin_object().key("trace").raw(trace.to_json());
    w.key("steps").begin_array();
    for (std::size_t i = 0; i < finding.steps.size() && i < steps_kept; ++i) w.string(std::string_view(finding.steps[i]).substr(0, step_octets));
    if (finding.steps.size() > steps_kept) w.string("and " + std::to_string(finding.steps.size() - steps_kept) + " more");
    w.end_array().end_object();
    return w.take();
}

ra::AuditRecord audit_of(const Parts& parts, const store::AcmeChallengeWork& work, const validation::Finding& finding,
                         const core::RequestId& request, core::TimePoint now) {
    ra::AuditRecord r;
    r.at = now;
    r.request = request;
    const auto catalog = parts.deps.catalog.current();
    if (const ra::Endpoint* endpoint = catalog ? catalog->endpoint(work.endpoint) : nullptr) r.tenant = endpoint->tenant;
    r.actor = ra::Actor("acme_account", work.account_token);
    r.action = finding.verdict ? "authorization.valid" : says_nothing(finding.verdict) ? "authorization.unanswered" : "authorization.invalid";
    r.object_kind = "acme_authorization";
    r.object_id = work.authorization.token;
    if (!finding.verdict) {
        r.outcome = says_nothing(finding.verdict) ? ra::AuditRecord::Outcome::failed : ra::AuditRecord::Outcome::refused;
        r.check = "validation." + work.challenge.type;
    }
    r.detail = audit_detail(work, finding);
    return r;
}

/// Challenge, authorization and order move together (RFC 8555 §7.1.6). Changes `row` to what the
/// batch stores.
store::Batch result_batch(const store::AcmeChallengeWork& work, const validation::Finding& finding,
                          const core::RequestId& request, core::TimePoint now, store::AcmeChallengeRow& row) {
    store::Batch batch;
    row.updated = now;
    if (finding.verdict) {
        row.status = "valid";
        row.validated = now;
        batch.add(store::acme_challenge_valid, store::values(row.id, now));
        batch.add(store::acme_authorization_valid, store::values(row.authorization, now));
        batch.add(store::acme_order_touch, store::values(row.authorization, now), store::Expect::any);
        batch.add(store::acme_order_ready, store::values(row.authorization, now), store::Expect::any);
        return batch;
    }
    Error error = to_error(finding.verdict.error());
    if (error.check.empty()) error.check = "validation." + work.challenge.type;
    row.status = "invalid";
    row.error = to_json(error, request);
    Error order_error = error;
    order_error.subproblems.emplace_back(finding.verdict.error().kind, error.detail, work.authorization.identifier_type,
                                         work.authorization.identifier);
    batch.add(store::acme_challenge_invalid, store::values(row.id, now, *row.error));
    batch.add(store::acme_authorization_invalid, store::values(row.authorization, now));
    batch.add(store::acme_order_fail, store::values(row.authorization, now, to_json(order_error, request)),
              store::Expect::any);
    return batch;
}

core::Task<void> validate(const std::shared_ptr<Parts>& parts, Landing& landing, core::RequestId request) {
    const Deps& deps = parts->deps;
    // Read under the flight: what an earlier flight stored is seen, and nothing is asked twice.
    auto parameters = store::values(landing.token());
    const auto found = co_await store::read_one(deps.db, store::acme_challenge_work, std::move(parameters));
    if (!found) co_return;
    const auto work = store::AcmeChallengeWork::from(*found);
    if (!can_be_validated(work, parts->now())) {
        landing.set_result(work.challenge);
        co_return;
    }
    auto question = question_for(*parts, work);
    const auto finding = co_await deps.http_01.validate(std::move(question), core::deadline_in(validation_time));
    if (says_nothing(finding.verdict)) {
        deps.log.warning("validation_unavailable", {{"identifier", work.authorization.identifier},
                                                    {"what", finding.verdict.error().detail}, observe::request(request)});
    }

    // A proof dated by a clock in doubt could be believed for years.
    if (const auto agreed = deps.clock_agreement.check(); !agreed) {
        deps.log.warning("validation_unavailable", {{"identifier", work.authorization.identifier},
                                                    {"what", agreed.error().detail}, observe::request(request)});
        co_return;
    }

    const auto now = parts->now();
    const std::int64_t audit_id = co_await deps.numbers.next(store::Series::audit);
    if (says_nothing(finding.verdict)) {
        store::Batch attempt;
        ra::add_audit(attempt, audit_id, audit_of(*parts, work, finding, request, now));
        const auto noted = co_await deps.db.write(std::move(attempt));
        noted.value();
        co_return;
    }
    store::AcmeChallengeRow row = work.challenge;
    auto batch = result_batch(work, finding, request, now, row);
    ra::add_audit(batch, audit_id, audit_of(*parts, work, finding, request, now));
    const auto written = co_await deps.db.write(std::move(batch));
    if (!written) co_return;  // decided elsewhere meanwhile: another node, or deactivated
    (finding.verdict ? parts->validations_valid : parts->validations_invalid).add();
    landing.set_result(std::move(row));
}

/// A client waits for the result of its challenge without asking for another validation, so one that the
/// store was too far away to keep is made again.
core::Task<void> validate_and_keep(std::shared_ptr<Parts> parts, Landing landing, core::RequestId request) {
    const auto give_up = core::deadline_in(store_patience);
    auto pause = first_pause;
    for (;;) {
        try {
            co_await validate(parts, landing, request);
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

std::shared_ptr<Flight> start_validation(Parts& parts, const std::string& token, const core::RequestId& request,
                                         const core::Executor& executor) {
    auto [flight, first] = parts.flights.join(token);
    if (first) {
        Landing landing(parts.flights, token, flight);
        parts.deps.tasks.spawn(executor, validate_and_keep(parts.shared_from_this(), std::move(landing), request));
    }
    return flight;
}

core::Task<std::size_t> resume_processing(std::shared_ptr<Parts> parts, core::TimePoint before) {
    const core::Executor executor = co_await boost::asio::this_coro::executor;
    std::size_t resumed = 0;
    for (std::int64_t after = 0;;) {
        auto parameters = store::values(after);
        const auto rows = co_await parts->deps.db.read(store::acme_challenges_processing, std::move(parameters));
        for (const auto& row : rows) {
            const auto work = store::AcmeChallengeWork::from(row);
            after = work.challenge.id.get();
            if (work.challenge.updated >= before || !can_be_validated(work, parts->now())) continue;
            start_validation(*parts, work.challenge.token, parts->deps.random.request_id(), executor);
            ++resumed;
        }
        if (rows.empty()) co_return resumed;
    }
}

}  // namespace postern::acme
