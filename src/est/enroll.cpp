#include "est/enroll.hpp"

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "core/crypto/cms_build.hpp"
#include "core/http/source.hpp"
#include "est/bodies.hpp"
#include "est/proof.hpp"
#include "est/refusals.hpp"
#include "est/status.hpp"
#include "ra/policy/policy.hpp"

/// RFC 7030 §4.2: simpleenroll and simplereenroll.
namespace postern::est {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

namespace {

/// A lost answer is repeated for so long (design §3).
constexpr std::chrono::hours repeated_for{1};
constexpr std::size_t longest_csr = 16 * 1024;

/// Larger keys' signatures are costly to check.
Task<Result<crypto::Csr>> parse(Parts& parts, core::Bytes der) {
    if (crypto::Csr::is_quick(der)) co_return crypto::Csr::parse(der);
    const auto work = [der = std::move(der)] { return crypto::Csr::parse(der); };
    co_return co_await parts.deps.pool.run(work);
}

}  // namespace

Result<void> check_media_type(const Call& call) {
    if (http::media_type_is(call.request.header("Content-Type"), "application/pkcs10")) return {};
    return Problem(ProblemKind::malformed, "expected Content-Type: application/pkcs10", std::string(media_type_check));
}

Result<core::Bytes> read_body(const Call& call) {
    auto der = read_csr_body(call.request.body, call.endpoint.est.binary_bodies);
    if (der && der->size() > longest_csr) return Problem(ProblemKind::malformed, "the request is longer than 16 KiB of DER", std::string(size_check));
    return der;
}

ra::EnrollmentRequest compose(const Call& call, Operation operation, crypto::Csr csr, Requester requester) {
    ra::EnrollmentRequest r;
    r.id = call.request.id;
    r.via = ra::Protocol::est;
    r.endpoint = call.endpoint.id;
    r.account = requester.account.id;
    r.account_read = std::move(requester.account);
    r.requester = std::move(requester.name);
    r.source = http::source_of(call.request.peer.address);
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
    // The names that are certified are part of the attempt anyway; the subject's text, of which only some profiles take any, is not.
    r.attempt = std::string(to_string(operation)) + " " + r.csr->subject().to_text();
    r.repeated_for = repeated_for;
    r.origin_kind = "est_request";
    r.origin_id = r.requester;
    r.deadline = call.request.deadline;
    return r;
}

http::Response answer_pending(const Call& call, const ra::PendingEnrollment& pending) {
    http::Response response(202, "text/plain", "202 pending: " + pending.reason + "; send the same request again (ref " + call.request.id.get() + ")\n");
    response.set("Retry-After", retry_after(pending.retry_after));
    if (!reads_text(call.request)) response.body.clear();
    return response;
}

core::Bytes certs_only(const core::Bytes& der) {
    const std::array<core::Bytes, 1> certificates{der};
    return crypto::cms_certificates(certificates);
}

void note_issued(Parts& parts, const Call& call, Operation operation, const ra::IssuedCertificate& issued) {
    parts.issued.add();
    parts.deps.log.info("est_issued", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"enrollment", issued.enrollment.get()}, {"operation", to_string(operation)}});
}

const ra::Profile* profile_of(const Call& call, const ra::Account& account) {
    ra::EnrollmentRequest request;
    request.via = ra::Protocol::est;
    return ra::choose_profile(request, *call.catalog, &call.endpoint, &account);
}

Task<Result<void>> check_request(Parts& parts, const Call& call, Requester& requester, const crypto::Csr& csr) {
    Result<void> good = co_await check_token(parts, call, requester, csr);
    if (!good) co_return good;
    if (const auto* profile = profile_of(call, requester.account)) {
        auto account = requester.account;
        auto proving = check_proof(parts, call, *profile, std::move(account), csr);
        good = co_await std::move(proving);
    }
    if (good) {
        auto settling = settle(parts, call, requester, csr);
        good = co_await std::move(settling);
    }
    co_return good;
}

namespace {

Task<Result<crypto::Csr>> read_request(Parts& parts, const Call& call, Requester& requester) {
    auto der = read_body(call);
    if (!der) co_return der.error();
    auto csr = co_await parse(parts, std::move(*der));
    if (!csr) co_return csr.error();
    const auto good = co_await check_request(parts, call, requester, *csr);
    if (!good) co_return good.error();
    co_return csr;
}

Task<Result<ra::EnrollmentOutcome>> carry_out(Parts& parts, const Call& call, Operation operation) {
    if (const auto type = check_media_type(call); !type) co_return type.error();
    auto requester = co_await find_requester(parts, call, operation);
    if (!requester) co_return requester.error();
    auto csr = co_await read_request(parts, call, *requester);
    if (!csr) {
        co_await record_refusal(parts, call, operation, *requester, csr.error());
        co_return csr.error();
    }
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
    note_issued(parts, call, operation, issued);
    co_return answer_der(call.request, certs_only_type, certs_only(issued.der));
}

}  // namespace

Task<http::Response> simpleenroll(Parts& parts, const Call& call) { return enroll(parts, call, Operation::simpleenroll); }
Task<http::Response> simplereenroll(Parts& parts, const Call& call) { return enroll(parts, call, Operation::simplereenroll); }

}  // namespace postern::est
