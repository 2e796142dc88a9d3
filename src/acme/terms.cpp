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

core::Task<Result<void>> check_terms(Parts& parts, Call& call) {
    if (agreed_to_terms(call)) co_return Result<void>();
    // On another node the account may have agreed since it was read here.
    AccountCache::Moment moment(call.catalog->version, std::chrono::steady_clock::now());
    static_cast<void>(parts.accounts.find(call.endpoint.id, call.requester().token, moment));
    auto parameters = store::values(call.requester().token, call.endpoint.id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_by_token, std::move(parameters));
    if (row) call.account = parts.accounts.keep(store::AcmeAccountRow::from(*row), moment);
    if (agreed_to_terms(call)) co_return Result<void>();
    const auto& terms = call.endpoint.terms_of_service;
    Error e = terms_needed(terms);
    e.detail = "the terms of service changed; read " + terms + " and agree to them by an update of the account (termsOfServiceAgreed: true)";
    e.instance = terms;
    co_return e;
}

}  // namespace postern::acme
