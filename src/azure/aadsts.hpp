#pragma once
#include <string>
#include <string_view>

#include "azure/account.hpp"
#include "azure/trouble.hpp"

namespace postern::azure {

/// What Entra's refusal of a token means, and what to do about it. @param status 400 or 401 mostly; @param body its JSON
Failure explain_refusal(const Account& account, unsigned status, std::string_view body);

}  // namespace postern::azure
