#pragma once
#include <optional>
#include <string>

#include "acme/call.hpp"

namespace postern::acme {

/// Of this endpoint, whatever its status: a key is used up by its account.
core::Task<std::optional<store::AcmeAccountRow>> find_account_by_key(Parts& parts, const Call& call, std::string thumbprint);
/// The requester as the store has it now.
core::Task<std::optional<store::AcmeAccountRow>> reread_requester(Parts& parts, const Call& call);

}  // namespace postern::acme
