#pragma once
#include <cstddef>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/ids.hpp"

namespace postern::core {

/// Cryptographically strong random octets; thread safe. The production source is
/// crypto::SystemRandom, tests may inject a counter.
class Random {
public:
    virtual ~Random() = default;
    /// Throws when the system gives no entropy: nothing may go on without it.
    virtual void fill(std::span<std::uint8_t> out) = 0;

    Bytes bytes(std::size_t n);
    /// 128 random bits as base64url: 22 characters; never begins with a hyphen, which a command line would take for an option.
    std::string token();
    RequestId request_id();
};

}  // namespace postern::core
