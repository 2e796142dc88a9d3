#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "core/crypto/cms_build.hpp"
#include "est/bodies.hpp"
#include "est/proof.hpp"
#include "est/requester.hpp"
#include "est/status.hpp"
#include "ra/audit.hpp"

/// RFC 7030 §4.2: simpleenroll and simplereenroll.
namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

/// A lost answer is repeated for so long (design §3).
constexpr std::chrono::hours repeated_for{1};
constexpr std::size_t longest_csr = 16 * 1024;
constexpr std::chrono::seconds soonest{30};

Result<core::Bytes> read_body(const Call& call) {
    const auto type = call.request.header("Content-Type");
    if (!http::media_type_is(type, "application/pkcs10"))
        return Problem(ProblemKind::malformed, "expected Content-Type: application/pkcs10", "est.media_type");
    auto der = read_csr_body(call.request.body, call.endpoint.est.binary_bodies);
    if (der && der->size() > longest_csr) return Problem(ProblemKind::malformed, "the request is longer than 16 KiB of DER", "est.body");
    return der;
}

/// Larger keys' signatures are costly to check.
Task<Result<crypto::Csr>> parse(Parts& parts, core::Bytes der) {
    const auto work = [der = std::move(der)] { return crypto::Csr::parse(der); };
    co_return co_await parts.deps.pool.run(work);
}

ra::EnrollmentRequest compose(const Call& call, Operation operation, crypto::Csr csr, Requester requester) {
    ra::EnrollmentRequest r;
    r.id = call.request.id;
    r.via = ra::Protocol::est;
    r.endpoint = call.endpoint.id;
    r.account = requester.account.id;
    r.requester = std::move(requester.name);
    r.evidence = std::move(requester.evidence);
    r.csr = std::move(csr);
    if (requester.key && requester.key->spki() != r.csr->key().spki()) r.requester_key = std::move(requester.key);
    if (requester.token) {
        r.single_use = std::move(requester.token->use);
        r.profile = std::move(requester.token->row.profile);
        r.asked_by = ra::called(ra::Actor(requester.token->row.actor_kind, requester.token->row.actor));
    }
    r.binding = std::move(requester.binding);
    r.device = std::move(requester.device);
    r.claim = std::move(requester.claim);
    r.release = std::move(requester.release);
    r.attempt = to_string(operation);
    r.repeated_for = repeated_for;
    r.origin_kind = "est_request";
    r.origin_id = r.requester;
    r.deadline = call.request.deadline;
    return r;
}

http::Response answer_pending(const Call& call, const ra::PendingEnrollment& pending) {
    const auto wait = std::max(pending.retry_after, soonest);
    http::Response response(202, "text/plain", "202 pending: " + pending.reason + "; send the same request again (ref " + call.request.id.get() + ")\n");
    response.set("Retry-After", std::to_string(wait.count()));
    return response;
}

http::Response answer_issued(const Call& call, const core::Bytes& der) {
    const std::array<core::Bytes, 1> certificates{der};
    return answer_der(call.request, certs_only_type, crypto::cms_certificates(certificates));
}

Task<Result<ra::EnrollmentOutcome>> carry_out(Parts& parts, const Call& call, Operation operation) {
    auto requester = co_await find_requester(parts, call, operation);
    if (!requester) co_return requester.error();
    auto der = read_body(call);
    if (!der) co_return der.error();
    auto csr = co_await parse(parts, std::move(*der));
    if (!csr) co_return csr.error();
    if (const auto proven = check_proof(call, *csr); !proven) co_return proven.error();
    const auto settled = co_await settle(parts, call, *requester, *csr);
    if (!settled) co_return settled.error();
    auto wish = compose(call, operation, std::move(*csr), std::move(*requester));
    auto submitting = parts.deps.enrollment.submit(std::move(wish));
    co_return co_await std::move(submitting);
}

Task<http::Response> enroll(Parts& parts, const Call& call, Operation operation) {
    if (const auto agreed = parts.deps.clock_agreement.check(); !agreed) throw core::Unavailable(agreed.error().detail);
    const auto outcome = co_await carry_out(parts, call, operation);
    if (!outcome) {
        parts.refused.add();
        co_return refusal(call, outcome.error());
    }
    if (const auto* pending = std::get_if<ra::PendingEnrollment>(&*outcome)) {
        parts.pending.add();
        co_return answer_pending(call, *pending);
    }
    const auto& issued = std::get<ra::IssuedCertificate>(*outcome);
    parts.issued.add();
    parts.deps.log.info("est_issued", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"enrollment", issued.enrollment.get()}, {"operation", to_string(operation)}});
    co_return answer_issued(call, issued.der);
}

}  // namespace

Task<http::Response> simpleenroll(Parts& parts, const Call& call) { return enroll(parts, call, Operation::simpleenroll); }
Task<http::Response> simplereenroll(Parts& parts, const Call& call) { return enroll(parts, call, Operation::simplereenroll); }

}  // namespace postern::est
