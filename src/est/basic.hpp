#pragma once
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace postern::est {

/// Credentials of RFC 7617.
struct Basic {
    Basic() = default;
    std::string user;  ///< may be empty
    core::SecretText password;
};

/// Of an Authorization header. Errors: unauthenticated, with what is wrong; its value is not repeated.
core::Result<Basic> read_basic(std::string_view header);

}  // namespace postern::est
