#pragma once
#include <string>
#include <string_view>

#include "core/base/random.hpp"

/// Argon2id (RFC 9106) for secrets that people chose. 19 MiB and two passes, OWASP's first choice: about 20 ms of a core, so on
/// the pool and behind a limit of tries.
namespace postern::crypto {

/// "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH". Throws std::runtime_error without memory.
std::string argon2id(std::string_view secret, core::Random& random);
/// Whether `encoded` is that secret's. False for what is no such text, and for one that asks for more memory or passes than
/// this program ever did.
bool argon2id_matches(std::string_view encoded, std::string_view secret);

}  // namespace postern::crypto
