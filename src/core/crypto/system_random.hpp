#pragma once
#include "core/base/random.hpp"

namespace postern::crypto {

/// RAND_bytes.
class SystemRandom final : public core::Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

}  // namespace postern::crypto
