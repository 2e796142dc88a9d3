#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/name.hpp"

namespace postern::ra {

/// What a credential was given out for: the CSR must ask for exactly this (VU#971035).
struct Binding {
    Binding() = default;
    std::optional<std::vector<crypto::DnEntry>> subject;    ///< in any order; nullopt: not said
    std::optional<std::vector<crypto::GeneralName>> names;  ///< the subjectAltName, in any order; nullopt: not said
    std::optional<crypto::KeySpec> key;                     ///< that type; RSA at least that long
    std::optional<std::string> ended;                       ///< why it is worth nothing any more
};

}  // namespace postern::ra
