#include "core/base/unavailable.hpp"
#include "core/http/source.hpp"
#include "scep/answer.hpp"
#include "scep/challenges.hpp"
#include "scep/enroll.hpp"
#include "scep/refusals.hpp"

/// PKCSReq at an endpoint whose challenges Intune seals. Intune knows neither "pending" nor "try again": whatever happens,
/// the device reads a certificate or a FAILURE, in time.
namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;

core::Task<core::Result<ra::IssuedCertificate>> ask(ra::IntuneEnrollment& intune, ra::IntuneRequest wish) {
    std::string away;
    try {
        co_return co_await intune.enroll(std::move(wish));
    } catch (const core::Unavailable& fault) {
        away = fault.what();
    }
    co_return Problem(ProblemKind::unavailable, std::move(away), "store.available");
}

bool judged(const Problem& problem) noexcept { return problem.kind == ProblemKind::forbidden; }

}  // namespace

core::Task<http::Response> enroll_with_intune(Parts& parts, const Call& call, const Request& request, crypto::Csr csr, const ra::Account& account) {
    ReplyTo to(request, call.policy);
    auto attempt = attempt_challenge(parts, call, csr);
    if (attempt.wait()) {
        auto slow = too_many_tries("for this key from this address", *attempt.wait());
        co_return co_await refuse(parts, call, std::move(to), std::move(slow));
    }
    if (csr.challenge_password().empty()) {
        attempt.wrong();
        Problem absent(ProblemKind::forbidden, "the request has no challenge", "challenge.known");
        co_await record_stranger(parts, call, request, csr, absent);
        co_return co_await refuse(parts, call, std::move(to), std::move(absent));
    }
    auto of_source = attempt_of_source(parts, parts.forgeries, call, csr);
    if (of_source.wait()) {
        auto slow = too_many_tries("from this address", *of_source.wait());
        co_return co_await refuse(parts, call, std::move(to), std::move(slow));
    }
    ra::IntuneRequest wish;
    wish.id = call.request.id;
    wish.endpoint = call.endpoint.id;
    wish.account = account;
    wish.transaction_id = request.transaction_id();
    wish.source = http::source_of(call.request.peer.address);
    wish.csr = std::move(csr);
    wish.deadline = call.request.deadline;
    auto outcome = co_await ask(*parts.deps.intune, std::move(wish));
    if (!outcome) {
        auto problem = outcome.error();
        if (judged(problem)) {
            attempt.wrong();
            of_source.wrong();
        }
        if (problem.check == "store.available") problem.detail = "the server cannot work now; ask again later";
        co_return co_await refuse(parts, call, std::move(to), std::move(problem));
    }
    attempt.right();
    parts.deps.log.info("scep_issued", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"transaction", request.transaction_id()},
                                        {"enrollment", outcome->enrollment.get()}, {"message", to_string(request.type())}});
    auto certificate = std::move(outcome->der);
    auto issuer = std::move(outcome->issuer_key_id);
    co_return co_await answer_issued(parts, call, request, std::move(certificate), std::move(issuer));
}

}  // namespace postern::scep
