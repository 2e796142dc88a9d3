#include "core/crypto/system_random.hpp"

#include <openssl/rand.h>

#include <limits>
#include <stdexcept>

#include "core/crypto/handles.hpp"

namespace postern::crypto {

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (out.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw std::length_error("more random octets at once than the library gives");
    if (::RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) fail("RAND_bytes");
}

}  // namespace postern::crypto
