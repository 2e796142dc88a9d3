#include "ra/bodies.hpp"
#include "ra/catalog.hpp"
#include "store/tables/objects.hpp"

namespace postern::ra {

namespace {
core::Task<std::optional<Account>> read_one_account(store::Database& db, const store::Statement& statement,
                                                    store::Values parameters) {
    const auto row = co_await store::read_one(db, statement, std::move(parameters));
    if (!row) co_return std::nullopt;
    auto account = read_account(store::ObjectRow::from(*row));
    if (!account) co_return std::nullopt;  // unreadable denies
    co_return std::move(*account);
}
}  // namespace

core::Task<std::optional<Account>> find_account(store::Database& db, core::AccountId id) {
    return read_one_account(db, store::account_by_id, store::values(id));
}

core::Task<std::optional<Account>> find_account_by_public_id(store::Database& db, core::EndpointId endpoint,
                                                              std::string public_id) {
    return read_one_account(db, store::account_by_public_id, store::values(endpoint, public_id));
}

core::Task<std::optional<Account>> find_open_account(store::Database& db, core::EndpointId endpoint) {
    return read_one_account(db, store::account_open, store::values(endpoint));
}

std::optional<core::SecretBytes> open_account_secret(const crypto::Sealer& sealer, const Account& account) {
    return sealer.open(account_secret_label, account_secret_context(account.id), account.secret_sealed);
}

std::string account_secret_context(core::AccountId id) { return "account/" + std::to_string(id.get()); }

}  // namespace postern::ra
