#pragma once
#include <optional>

#include "core/base/bytes.hpp"

namespace postern::crypto {

struct RsaNumbers {
    core::BytesView n, e;  ///< magnitudes, views into what was read
};
/// RSAPublicKey of RFC 8017 A.1.1.
std::optional<RsaNumbers> rsa_numbers(core::BytesView rsa_public_key_der) noexcept;

}  // namespace postern::crypto
