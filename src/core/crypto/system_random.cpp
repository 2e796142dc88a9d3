#include "core/crypto/system_random.hpp"

#include <openssl/rand.h>

#include <limits>
#include <stdexcept>

#include "core/crypto/handles.hpp"
#include "core/crypto/random_stock.hpp"

namespace postern::crypto {
namespace {

void draw(std::span<std::uint8_t> out) {
    if (::RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) fail("RAND_bytes");
}

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (out.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw std::length_error("more random octets at once than the library gives");
    // Serials, tokens and nonces are a few octets each, and the generator's price is by the call.
    thread_local RandomStock stock(&draw);
    if (out.size() <= RandomStock::longest)
        stock.take(out);
    else
        draw(out);
}

}  // namespace postern::crypto
