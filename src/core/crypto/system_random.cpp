#include "core/crypto/system_random.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

#include "core/base/secret.hpp"
#include "core/crypto/handles.hpp"

namespace postern::crypto {
namespace {

void draw(std::span<std::uint8_t> out) {
    if (::RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) fail("RAND_bytes");
}

/// Octets drawn ahead. What is taken is wiped, so that nothing here tells what was given out.
class Stock {
public:
    static constexpr std::size_t longest = 32;

    void take(std::span<std::uint8_t> out) {
        if (octets_.size() - at_ < out.size()) {
            at_ = octets_.size();  // should drawing throw
            draw(octets_);
            at_ = 0;
        }
        const auto from = std::span(octets_).subspan(at_, out.size());
        std::copy(from.begin(), from.end(), out.begin());
        core::cleanse(from.data(), from.size());
        at_ += out.size();
    }

private:
    std::array<std::uint8_t, 512> octets_{};
    std::size_t at_ = octets_.size();
};

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (out.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw std::length_error("more random octets at once than the library gives");
    // Serials, tokens and nonces are a few octets each, and the generator's price is by the call.
    thread_local Stock stock;
    if (out.size() <= Stock::longest)
        stock.take(out);
    else
        draw(out);
}

}  // namespace postern::crypto
