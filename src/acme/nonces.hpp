#pragma once
#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/random.hpp"
#include "core/base/secret.hpp"

namespace postern::acme {

/// Anti-replay nonces (RFC 8555 §6.5): each one is accepted exactly once, by whichever node is asked.
/// Thread safe.
class Nonces {
public:
    virtual ~Nonces() = default;
    /// A fresh nonce, base64url.
    virtual core::Task<std::string> issue() = 0;
    /// True exactly once for a nonce that issue() gave; false for a malformed, foreign, old or used one.
    virtual core::Task<bool> redeem(std::string nonce) = 0;
};

/// For one node: a nonce is a number under a MAC, and all that is remembered is one bit a number. So
/// a stranger who draws nonces without end pushes nobody else's out before `window` more of them, and
/// memory is fixed. The MAC key is drawn at the start: another process's nonces are foreign here,
/// and theirs here.
class MemoryNonces final : public Nonces {
public:
    static constexpr std::size_t shards = 16;
    /// `window`: how many of the newest nonces are good; a multiple of 64 times `shards`.
    explicit MemoryNonces(core::Random& random, std::uint64_t window = std::uint64_t{1} << 22);
    core::Task<std::string> issue() override;
    core::Task<bool> redeem(std::string nonce) override;

private:
    /// Numbers n with n % shards == its index, kept as n / shards. Each holds its mutex for a few
    /// instructions.
    struct Shard {
        std::mutex mutex;
        std::uint64_t next = 0;             ///< the first that was not issued
        std::vector<std::uint64_t> used;    ///< a ring of bits
    };
    [[nodiscard]] core::Bytes seal(std::uint64_t number) const;

    core::SecretBytes key_;
    core::Bytes epoch_;  ///< says which process issued it
    std::uint64_t per_shard_;
    std::atomic<std::size_t> turn_{0};
    std::array<Shard, shards> shards_;
};

}  // namespace postern::acme
