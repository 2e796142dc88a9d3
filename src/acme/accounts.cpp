#include "acme/accounts.hpp"

namespace postern::acme {

core::Task<std::optional<store::AcmeAccountRow>> find_account_by_key(Parts& parts, const Call& call, std::string thumbprint) {
    auto parameters = store::values(call.endpoint.id, thumbprint);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_by_key, std::move(parameters));
    if (!row) co_return std::nullopt;
    co_return store::AcmeAccountRow::from(*row);
}

core::Task<std::optional<store::AcmeAccountRow>> reread_requester(Parts& parts, const Call& call) {
    auto parameters = store::values(call.requester().token, call.endpoint.id);
    const auto row = co_await store::read_one(parts.deps.db, store::acme_account_by_token, std::move(parameters));
    if (!row) co_return std::nullopt;
    co_return store::AcmeAccountRow::from(*row);
}

}  // namespace postern::acme
