#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/sealer.hpp"
#include "ra/model.hpp"
#include "store/database.hpp"

namespace postern::ra {

/// What an access code is found by: HMAC-SHA256 under the master key over endpoint and code, base64url. The code
/// itself is nowhere.
std::string access_code_id(const crypto::Sealer& sealer, core::EndpointId endpoint, std::string_view code);

/// The account of that endpoint whose code it is.
core::Task<std::optional<Account>> find_account_by_access_code(store::Database& db, const crypto::Sealer& sealer, core::EndpointId endpoint,
                                                               std::string code);

}  // namespace postern::ra
