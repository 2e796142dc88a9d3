#include "scep/fail_map.hpp"

namespace postern::scep {

std::string_view to_string(FailInfo f) noexcept {
    switch (f) {
        case FailInfo::bad_alg: return "badAlg";
        case FailInfo::bad_message_check: return "badMessageCheck";
        case FailInfo::bad_request: return "badRequest";
        case FailInfo::bad_time: return "badTime";
        case FailInfo::bad_cert_id: return "badCertId";
    }
    return "badRequest";
}

FailInfo fail_info(core::ProblemKind kind) noexcept {
    using core::ProblemKind;
    switch (kind) {
        case ProblemKind::unsupported:
        case ProblemKind::bad_public_key: return FailInfo::bad_alg;
        case ProblemKind::unauthenticated: return FailInfo::bad_message_check;
        case ProblemKind::not_found: return FailInfo::bad_cert_id;
        case ProblemKind::malformed:
        case ProblemKind::forbidden:
        case ProblemKind::conflict:
        case ProblemKind::bad_csr:
        case ProblemKind::rejected_identifier:
        case ProblemKind::unsupported_identifier:
        case ProblemKind::invalid_profile:
        case ProblemKind::bad_content:
        case ProblemKind::rate_limited:
        case ProblemKind::dns:
        case ProblemKind::connection:
        case ProblemKind::tls:
        case ProblemKind::incorrect_response:
        case ProblemKind::caa:
        case ProblemKind::already_revoked:
        case ProblemKind::bad_revocation_reason:
        case ProblemKind::unavailable:
        case ProblemKind::internal: return FailInfo::bad_request;
    }
    return FailInfo::bad_request;
}

}  // namespace postern::scep
