#include "est/status.hpp"

#include <algorithm>

#include "est/authorization.hpp"
#include "est/bodies.hpp"

namespace postern::est {

namespace {


/// One line, whatever stands in a name that the text repeats.
std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

}  // namespace

unsigned status_of(const core::Problem& problem) noexcept {
    using core::ProblemKind;
    if (problem.check == media_type_check) return 415;
    if (problem.check == size_check) return 413;
    switch (problem.kind) {
        case ProblemKind::malformed:
        case ProblemKind::bad_csr:
        case ProblemKind::bad_public_key: return 400;
        case ProblemKind::unauthenticated: return 401;
        case ProblemKind::not_found: return 404;
        case ProblemKind::rate_limited: return 429;
        case ProblemKind::internal: return 502;
        case ProblemKind::unavailable:
        case ProblemKind::conflict: return 503;
        case ProblemKind::unsupported: return 501;
        case ProblemKind::forbidden:
        case ProblemKind::rejected_identifier:
        case ProblemKind::unsupported_identifier:
        case ProblemKind::invalid_profile:
        case ProblemKind::bad_content:
        case ProblemKind::dns:
        case ProblemKind::connection:
        case ProblemKind::tls:
        case ProblemKind::incorrect_response:
        case ProblemKind::caa:
        case ProblemKind::already_revoked:
        case ProblemKind::bad_revocation_reason: return 403;
    }
    return 403;
}

std::string retry_after(std::chrono::seconds wait) { return std::to_string(std::clamp(wait, soonest, latest).count()); }

http::Response refusal(const http::Request& request, std::string_view realm, const core::Problem& problem) {
    const auto status = status_of(problem);
    const auto token = problem.check.empty() ? std::string(core::to_string(problem.kind)) : problem.check;
    http::Response response(status, "text/plain", one_line(std::to_string(status) + " " + token + ": " + problem.detail + " (ref " + request.id.get() + ")") + "\n");
    if (status == 401 && speaks_bearer(request))
        response.set("WWW-Authenticate", "Bearer realm=\"" + std::string(realm) + "\", error=\"invalid_token\"");
    else if (status == 401)
        response.set("WWW-Authenticate", "Basic realm=\"" + std::string(realm) + "\", charset=\"UTF-8\"");
    if (status == 401 && !reads_text(request)) response.body.clear();
    if (status == 429 || status == 503) {
        response.set("Retry-After", retry_after(problem.retry_after.value_or(soonest)));
    }
    return response;
}

http::Response refusal(const Call& call, const core::Problem& problem) { return refusal(call.request, call.endpoint.name, problem); }

}  // namespace postern::est
