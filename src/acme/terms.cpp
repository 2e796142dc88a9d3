#include "acme/terms.hpp"

namespace postern::acme {

Error terms_needed(const std::string& terms) {
    Error e(ErrorType::user_action_required,
            "the terms of service must be agreed to: " + terms + " (send termsOfServiceAgreed: true)");
    e.headers.emplace_back("Link", "<" + terms + ">;rel=\"terms-of-service\"");
    return e;
}

bool agreed_to_terms(const Call& call) {
    const auto& terms = call.endpoint.terms_of_service;
    return terms.empty() || call.requester().terms == terms;
}

Result<void> check_terms(const Call& call) {
    if (agreed_to_terms(call)) return {};
    const auto& terms = call.endpoint.terms_of_service;
    Error e = terms_needed(terms);
    e.detail = "the terms of service changed; read " + terms + " and agree to them by an update of the account (termsOfServiceAgreed: true)";
    e.instance = terms;
    return e;
}

}  // namespace postern::acme
