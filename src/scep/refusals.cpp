#include "scep/refusals.hpp"

#include "ra/refusals.hpp"

namespace postern::scep {

core::Task<void> record_stranger(Parts& parts, const Call& call, const Request& request, const crypto::Csr& csr, const core::Problem& problem) {
    using enum core::ProblemKind;
    if (problem.kind != forbidden && problem.kind != unauthenticated) co_return;
    const bool own = request.signer().certificate.self_issued();
    ra::Refusal refusal;
    refusal.problem = problem;
    refusal.input = std::string(to_string(request.type())) + " from " + call.request.peer.address + ", " + (csr.challenge_password().empty() ? "without" : "with") +
                    " a challenge, for " + csr.subject().to_text() + ", signed by a certificate of " + (own ? "its own" : "a CA");
    refusal.record.at = parts.now();
    refusal.record.tenant = call.endpoint.tenant;
    refusal.record.request = call.request.id;
    refusal.record.actor = ra::Actor("scep", request.transaction_id());
    refusal.record.action = "request.refused";
    refusal.record.object_kind = "scep_transaction";
    refusal.record.object_id = request.transaction_id();
    const auto shown = csr.challenge_password().empty() && own ? ra::Refusals::Shown::nothing : ra::Refusals::Shown::credential;
    auto address = call.request.peer.address;
    co_await parts.deps.refusals.record(std::move(refusal), shown, std::move(address));
}

}  // namespace postern::scep
