#include "est/refusals.hpp"

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"
#include "core/json/escape.hpp"
#include "est/authorization.hpp"
#include "est/passwords.hpp"
#include "ra/refusals.hpp"

namespace postern::est {

namespace {

using core::Problem;
using core::ProblemKind;
using core::Task;
using Shown = ra::Refusals::Shown;

/// Of a user name that a stranger may have made up.
constexpr std::size_t most_of_name = 64;

/// As whom a stranger came.
struct Claim {
    Claim() = default;
    std::string name = "nobody";
    Shown shown = Shown::nothing;
};

void add(Claim& claim, std::string part) {
    claim.name = claim.shown == Shown::nothing ? std::move(part) : claim.name + ", " + part;
    claim.shown = Shown::credential;
}

Claim claim_of(const http::Request& request) {
    Claim out;
    if (const auto& der = request.peer.client_certificate; !der.empty()) add(out, "certificate " + core::hex(crypto::sha256(der)));
    const auto said = read_authorization(request);
    if (!said) return out;
    if (said->scheme == Authorization::Scheme::basic) add(out, "user " + json::printable(std::string_view(said->basic.user).substr(0, most_of_name)));
    if (said->scheme == Authorization::Scheme::bearer) add(out, "token");
    return out;
}

/// Where it came from, and what a reader of the record cannot tell from a digest.
std::string input_of(const http::Request& request) {
    std::string out = std::string(http::to_string(request.method)) + " " + request.path + " from " + request.peer.address;
    if (request.peer.client_certificate.empty()) return out;
    const auto certificate = crypto::Certificate::parse(request.peer.client_certificate);
    if (certificate) out += ", certificate of " + certificate->subject().to_text() + " with serial number " + core::hex(certificate->serial());
    return out;
}

ra::Refusal refusal_of(Parts& parts, const Call& call, const Problem& problem, std::string name, std::string input) {
    ra::Refusal out;
    out.problem = problem;
    if (problem.check.empty()) out.problem.check = core::to_string(problem.kind);  // as the client reads it
    out.input = std::move(input);
    out.record.at = parts.now();
    out.record.tenant = call.endpoint.tenant;
    out.record.request = call.request.id;
    out.record.actor = ra::Actor("est", name);
    out.record.action = "request.refused";
    out.record.object_kind = "est_request";
    out.record.object_id = std::move(name);
    return out;
}

bool is_refusal(const Problem& problem) noexcept { return problem.check != tries_check && problem.kind != ProblemKind::unavailable && problem.kind != ProblemKind::conflict; }

}  // namespace

Task<void> record_refusal(Parts& parts, const Call& call, Operation operation, const Requester& requester, const Problem& problem) {
    if (!is_refusal(problem)) co_return;
    auto refusal = refusal_of(parts, call, problem, requester.name, std::string(to_string(operation)));
    if (requester.anybody()) {
        auto address = call.request.peer.address;
        co_await parts.deps.refusals.record(std::move(refusal), Shown::credential, std::move(address));
        co_return;
    }
    co_await parts.deps.refusals.record(std::move(refusal));
}

Task<void> record_stranger(Parts& parts, const Call& call, const Problem& problem) {
    if (problem.kind != ProblemKind::unauthenticated && problem.kind != ProblemKind::forbidden) co_return;
    auto claim = claim_of(call.request);
    auto refusal = refusal_of(parts, call, problem, std::move(claim.name), input_of(call.request));
    auto address = call.request.peer.address;
    co_await parts.deps.refusals.record(std::move(refusal), claim.shown, std::move(address));
}

}  // namespace postern::est
