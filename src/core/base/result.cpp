#include "core/base/result.hpp"

#include <stdexcept>

namespace postern::core {

std::string_view to_string(ProblemKind kind) noexcept {
    switch (kind) {
        case ProblemKind::malformed: return "malformed";
        case ProblemKind::unauthenticated: return "unauthenticated";
        case ProblemKind::forbidden: return "forbidden";
        case ProblemKind::not_found: return "not_found";
        case ProblemKind::conflict: return "conflict";
        case ProblemKind::bad_csr: return "bad_csr";
        case ProblemKind::bad_public_key: return "bad_public_key";
        case ProblemKind::rejected_identifier: return "rejected_identifier";
        case ProblemKind::unsupported_identifier: return "unsupported_identifier";
        case ProblemKind::invalid_profile: return "invalid_profile";
        case ProblemKind::bad_content: return "bad_content";
        case ProblemKind::rate_limited: return "rate_limited";
        case ProblemKind::dns: return "dns";
        case ProblemKind::connection: return "connection";
        case ProblemKind::tls: return "tls";
        case ProblemKind::incorrect_response: return "incorrect_response";
        case ProblemKind::caa: return "caa";
        case ProblemKind::already_revoked: return "already_revoked";
        case ProblemKind::bad_revocation_reason: return "bad_revocation_reason";
        case ProblemKind::unsupported: return "unsupported";
        case ProblemKind::unavailable: return "unavailable";
        case ProblemKind::internal: return "internal";
    }
    return "internal";
}

void throw_exception_from_error(const Problem& problem, const boost::source_location& where) {
    throw std::logic_error("value() of a refusal (" + std::string(to_string(problem.kind)) + ": " + problem.detail +
                           ") at " + where.to_string());
}

}  // namespace postern::core
