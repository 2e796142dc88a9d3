#include "scep/enroll.hpp"

#include "core/async/deadline.hpp"
#include "core/base/encoding.hpp"
#include "core/base/unavailable.hpp"
#include "core/http/source.hpp"
#include "scep/answer.hpp"
#include "scep/challenges.hpp"
#include "scep/refusals.hpp"
#include "store/tables/submission.hpp"

namespace postern::scep {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Result;
using core::Task;

/// A lost answer is repeated for so long (design §3).
constexpr std::chrono::hours repeated_for{1};
Task<Result<Leave>> by_certificate(Parts& parts, const Call& call, const ra::RenewalRight& right, const crypto::Csr& csr) {
    const auto names = co_await ra::check_renewal_names(parts.deps.db, right, csr);
    if (!names) co_return names.error();
    if (right.predecessor) {
        auto certificate = right.certificate;
        auto id = call.request.id;
        const auto stands = co_await parts.deps.predecessor_status.check(*right.predecessor, std::move(certificate), std::move(id), call.request.deadline);
        if (!stands) co_return stands.error();
    }
    Leave leave;
    leave.account = right.account;
    leave.evidence = right.evidence;
    leave.presented = right.evidence.subject;
    co_return leave;
}

/// S04, A7: a challenge comes with the key that is to be certified, or from who renews under another key. Any other device with
/// a certificate could wrap again what it saw another one send, and use up its challenge.
Task<Result<void>> check_signer(Parts& parts, const Result<ra::RenewalRight>& right, bool own, const crypto::Csr& csr) {
    if (own || csr.challenge_password().empty()) co_return Result<void>();
    Problem foreign(ProblemKind::unauthenticated, "the request with its challenge is signed by another key than the one in it, and that key's certificate has other names", "scep.signer");
    if (!right) co_return foreign;
    const auto same = co_await ra::asks_for_own_names(parts.deps.db, *right, csr);
    if (!same) co_return foreign;
    co_return Result<void>();
}

/// A RenewalReq rests on the certificate that signed it. Most clients never send one and renew by a PKCSReq, signed by
/// the old certificate; with a challenge that is what counts, without one the certificate (scep.md §1.4).
Task<Result<Leave>> leave_of(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr, const Result<ra::RenewalRight>& right) {
    const bool renewal = request.type() == MessageType::renewal_req;
    if (!renewal && !csr.challenge_password().empty()) co_return co_await leave_by_challenge(parts, call, request, csr);
    if (right) co_return co_await by_certificate(parts, call, *right, csr);
    if (renewal) co_return Problem(ProblemKind::unauthenticated, right.error().detail, right.error().check);
    if (right.error().check == "renewal.window") co_return right.error();
    auto open = co_await leave_by_open_account(parts, call);
    if (open) co_return std::move(*open);
    co_return Problem(ProblemKind::forbidden, "the request has no challenge", "challenge.known");
}

ra::EnrollmentRequest compose(const Call& call, const Request& request, crypto::Csr csr, Leave leave, const std::optional<ca::Successor>& successor) {
    ra::EnrollmentRequest r;
    r.id = call.request.id;
    r.via = ra::Protocol::scep;
    r.endpoint = call.endpoint.id;
    r.account = leave.account.id;
    r.account_read = std::move(leave.account);
    r.requester = request.transaction_id();
    r.source = http::source_of(call.request.peer.address);
    if (leave.evidence) r.evidence.push_back(std::move(*leave.evidence));
    r.csr = std::move(csr);
    r.attempt = request.transaction_id() + " " + leave.presented;
    // Whoever writes to the RA of the CA to come asks that one (RFC 8894 §5.1); an older RA speaks for today's.
    if (const auto& issuer = call.credential().issuer_key_id; successor && issuer == successor->key_id) r.issuer_key_id = issuer;
    r.repeated_for = repeated_for;
    r.single_use = std::move(leave.single_use);
    r.binding = std::move(leave.binding);
    r.asked_by = std::move(leave.asked_by);
    r.profile = std::move(leave.profile);
    r.claim = std::move(leave.claim);
    r.origin_kind = "scep_transaction";
    r.origin_id = request.transaction_id();
    r.deadline = call.request.deadline;
    return r;
}

}  // namespace

namespace {

/// Of a foreign CA, as it was verified when the certificate came; the root is left out as with the built-in one's.
Task<std::vector<core::Bytes>> foreign_chain(Parts& parts, const Call& call, std::string issuer_key_id) {
    auto of_issuer = store::values(call.source.issuing, issuer_key_id);
    const auto row = co_await store::read_one(parts.deps.db, store::issuer_chain_of, std::move(of_issuer));
    const auto blocks = row ? crypto::from_pem("CERTIFICATE", row->text(0)) : core::Result<std::vector<core::Bytes>>(std::vector<core::Bytes>());
    if (!blocks) co_return std::vector<core::Bytes>();
    co_return *blocks;
}

}  // namespace

Task<http::Response> answer_issued(Parts& parts, const Call& call, const Request& request, core::Bytes certificate, std::string issuer_key_id) {
    // A line up to the root, which is left out; what an older root says of that one is for clients that build paths.
    auto chain = parts.deps.backends.path(issuer_key_id);
    if (chain.size() > 1) chain.pop_back();
    if (chain.empty() && call.endpoint.scep.reply_with_issuer) chain = co_await foreign_chain(parts, call, issuer_key_id);
    const auto form = call.endpoint.scep.reply_with_issuer ? ReplyChain::leaf_and_chain : ReplyChain::leaf;
    auto certificates = reply_certificates(certificate, chain, form);
    ReplyTo to(request, call.policy);
    std::vector<core::Bytes> no_crls;
    co_return co_await answer_with(parts, call, std::move(to), std::move(certificates), std::move(no_crls));
}

namespace {

Task<http::Response> refuse_stranger(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr, const Problem& problem) {
    co_await record_stranger(parts, call, request, csr, problem);
    ReplyTo to(request, call.policy);
    auto told = problem;
    co_return co_await refuse(parts, call, std::move(to), std::move(told));
}

}  // namespace

Task<http::Response> enroll(Parts& parts, const Call& call, const Request& request, crypto::Csr csr, bool own, const Result<ra::RenewalRight>& right) {
    ReplyTo to(request, call.policy);
    if (const auto agreed = parts.deps.clock_agreement.check(); !agreed) throw core::Unavailable(agreed.error().detail);
    const auto signed_for = co_await check_signer(parts, right, own, csr);
    if (!signed_for) co_return co_await refuse_stranger(parts, call, request, csr, signed_for.error());
    const auto* intune = call.catalog->intune_account(call.endpoint.id);
    // By certificate comes only what the account lets come that way (catalog.cpp).
    const bool by_certificate = right && csr.challenge_password().empty();
    if (intune != nullptr && request.type() == MessageType::pkcs_req && !by_certificate)
        co_return co_await enroll_with_intune(parts, call, request, std::move(csr), *intune);
    auto leave = co_await leave_of(parts, call, request, csr, right);
    if (!leave && leave.error().kind == ProblemKind::unavailable)
        throw core::Unavailable(leave.error().detail, leave.error().retry_after.value_or(std::chrono::seconds(5)));
    if (!leave) co_return co_await refuse_stranger(parts, call, request, csr, leave.error());
    const auto successor = successor_of(parts, call);
    auto wish = compose(call, request, std::move(csr), std::move(*leave), successor);
    const auto outcome = co_await parts.deps.enrollment.submit(std::move(wish));
    if (!outcome) {
        const auto& problem = outcome.error();
        // Nothing is decided: the client may try again.
        if (problem.kind == ProblemKind::unavailable || problem.kind == ProblemKind::conflict)
            throw core::Unavailable(problem.detail, problem.retry_after.value_or(std::chrono::seconds(5)));
        auto refused = told(call, problem);
        co_return co_await refuse(parts, call, std::move(to), std::move(refused));
    }
    if (const auto* pending = std::get_if<ra::PendingEnrollment>(&*outcome)) {
        auto why = pending->reason;
        co_return co_await answer_pending(parts, call, std::move(to), std::move(why));
    }
    const auto& issued = std::get<ra::IssuedCertificate>(*outcome);
    parts.deps.log.info("scep_issued", {{"request", call.request.id.get()}, {"endpoint", call.endpoint.name}, {"transaction", request.transaction_id()},
                                        {"enrollment", issued.enrollment.get()}, {"message", to_string(request.type())}});
    auto certificate = issued.der;
    auto issuer = issued.issuer_key_id;
    co_return co_await answer_issued(parts, call, request, std::move(certificate), std::move(issuer));
}

}  // namespace postern::scep
