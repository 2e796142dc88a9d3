#include "acme/nonces.hpp"

#include <stdexcept>

#include "core/base/encoding.hpp"
#include "core/crypto/digest.hpp"

namespace postern::acme {

namespace {
constexpr std::size_t epoch_size = 4;
constexpr std::size_t number_size = 8;
constexpr std::size_t mac_size = 12;
constexpr std::size_t nonce_size = epoch_size + number_size + mac_size;
}  // namespace

MemoryNonces::MemoryNonces(core::Random& random, std::uint64_t window)
    : key_(random.bytes(32)), epoch_(random.bytes(epoch_size)), per_shard_(window / shards) {
    if (per_shard_ == 0 || window % (shards * 64) != 0)
        throw std::invalid_argument("the window of nonces must be a multiple of 1024");
    for (Shard& shard : shards_) shard.used.assign(per_shard_ / 64, 0);
}

core::Bytes MemoryNonces::seal(std::uint64_t number) const {
    core::Bytes out(epoch_);
    for (std::size_t i = 0; i < number_size; ++i)
        out.push_back(static_cast<std::uint8_t>(number >> (8 * (number_size - 1 - i))));
    const core::Bytes mac = crypto::hmac(crypto::HmacHash::sha256, key_.expose(), out);
    out.insert(out.end(), mac.begin(), mac.begin() + mac_size);
    return out;
}

core::Task<std::string> MemoryNonces::issue() {
    const std::size_t index = turn_.fetch_add(1, std::memory_order_relaxed) % shards;
    Shard& shard = shards_[index];
    std::uint64_t place = 0;
    {
        const std::lock_guard lock(shard.mutex);
        place = shard.next++;
        const std::uint64_t bit = place % per_shard_;
        shard.used[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
    }
    co_return core::base64url(seal(place * shards + index));
}

core::Task<bool> MemoryNonces::redeem(std::string nonce) {
    const auto bytes = core::from_base64url(nonce);
    if (!bytes || bytes->size() != nonce_size) co_return false;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < number_size; ++i) number = number << 8 | (*bytes)[epoch_size + i];
    if (!core::equal_constant_time(*bytes, seal(number))) co_return false;
    Shard& shard = shards_[number % shards];
    const std::uint64_t place = number / shards;
    const std::uint64_t bit = place % per_shard_;
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    const std::lock_guard lock(shard.mutex);
    if (place >= shard.next || place + per_shard_ < shard.next) co_return false;
    if ((shard.used[bit / 64] & mask) != 0) co_return false;
    shard.used[bit / 64] |= mask;
    co_return true;
}

}  // namespace postern::acme
