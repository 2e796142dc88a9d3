#include "ra/access_codes.hpp"

#include "core/base/encoding.hpp"
#include "ra/catalog.hpp"

namespace postern::ra {

std::string access_code_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view code) {
    std::string text = std::to_string(endpoint.get()) + "/";
    text += code;
    const core::SecretBytes input(core::Bytes(text.begin(), text.end()));
    return "code-" + core::base64url(sealer.lookup_hash("access-code", input.expose()));
}

core::Task<std::optional<Account>> find_account_by_access_code(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                               std::string code) {
    if (code.empty()) co_return std::nullopt;  // an empty secret denies, it never means "no check"
    auto account = co_await find_account_by_public_id(db, endpoint, access_code_id(sealer, endpoint, code));
    if (!account || account->method != AccountMethod::access_code) co_return std::nullopt;
    co_return account;
}

}  // namespace postern::ra
