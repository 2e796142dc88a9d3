#include "core/crypto/random_stock.hpp"

#include <algorithm>

#include "core/base/secret.hpp"

namespace postern::crypto {

RandomStock::~RandomStock() { core::cleanse(octets_.data(), octets_.size()); }

void RandomStock::take(std::span<std::uint8_t> out) {
    if (octets_.size() - at_ < out.size()) {
        at_ = octets_.size();  // should drawing throw
        draw_(octets_);
        at_ = 0;
    }
    const auto from = std::span(octets_).subspan(at_, out.size());
    std::copy(from.begin(), from.end(), out.begin());
    core::cleanse(from.data(), from.size());
    at_ += out.size();
}

}  // namespace postern::crypto
