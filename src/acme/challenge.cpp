#include <boost/asio/this_coro.hpp>

#include "acme/challenge_validation.hpp"
#include "acme/handlers.hpp"
#include "acme/render.hpp"

namespace postern::acme {

namespace {

/// How long an answer waits for the validation's end; most clients then need no poll.
constexpr std::chrono::seconds answer_time{3};

core::Task<std::optional<store::AcmeChallengeWork>> find(Parts& parts, const Call& call) {
    auto parameters = store::values(call.token());
    const auto row = co_await store::read_one(parts.deps.db, store::acme_challenge_work, std::move(parameters));
    if (!row) co_return std::nullopt;
    auto work = store::AcmeChallengeWork::from(*row);
    if (work.authorization.acme_account != call.requester().id) co_return std::nullopt;
    co_return work;
}

/// RFC 8555 §7.5.1: the url is the one that was posted to, and `up` is the authorization.
http::Response challenge_response(const Parts& parts, const Call& call, const store::AcmeAuthorizationRow& authorization,
                                  const store::AcmeChallengeRow& challenge) {
    http::Response r = json_response(200, render_challenge(challenge, call.urls));
    r.set("Link", "<" + call.urls.authorization(authorization.token) + ">;rel=\"up\"");
    if (challenge.status == "processing") r.set("Retry-After", std::to_string(next_look(challenge, parts.now())));
    return r;
}

/// `processing` is stored only here: when an answer has to be given before the validation ends, or begins.
/// One that ends in time costs no write of its own.
core::Task<void> store_processing(Parts& parts, const store::AcmeChallengeRow& challenge) {
    store::Batch batch;
    batch.add(store::acme_challenge_processing, store::values(challenge.id, parts.now()), store::Expect::any);
    static_cast<void>(co_await parts.deps.db.write(std::move(batch)));
}

}  // namespace

/// RFC 8555 §7.5.1: an empty payload reads, an object starts the validation. A finished challenge is
/// returned as it is.
core::Task<Reply> challenge(Parts& parts, Call& call) {
    const auto work = co_await find(parts, call);
    if (!work) co_return not_found();
    if (call.payload.empty()) co_return challenge_response(parts, call, work->authorization, work->challenge);
    if (const auto payload = payload_object(call); !payload) co_return payload.error();
    if (!can_be_validated(*work, parts.now())) {
        if (status_of(work->authorization, parts.now()) == "expired") {
            Error late(ErrorType::malformed, "the authorization expired; make a new order");
            late.check = "authorization.alive";
            auto record = call.audit(parts.now(), "challenge.refused", "acme_authorization", work->authorization.token);
            auto input = work->authorization.identifier + " until " + core::rfc3339(work->authorization.expires);
            auto refusal = refuse(parts, call, std::move(record), std::move(input), std::move(late));
            co_return co_await std::move(refusal);
        }
        co_return challenge_response(parts, call, work->authorization, work->challenge);
    }

    const core::Executor executor = co_await boost::asio::this_coro::executor;
    const auto flight = start_validation(parts, *work, call.request.id, executor);
    if (flight) {
        const auto until = core::earlier(core::deadline_in(answer_time), call.request.deadline);
        co_await Flight::wait(flight, until);
        if (const auto result = flight->result()) co_return challenge_response(parts, call, work->authorization, *result);
    }
    // One that has no place yet is due from then on: this node or another takes it up.
    if (!flight || !flight->ended()) co_await store_processing(parts, work->challenge);
    const auto now_stored = co_await find(parts, call);
    if (!now_stored) co_return not_found();
    co_return challenge_response(parts, call, now_stored->authorization, now_stored->challenge);
}

}  // namespace postern::acme
