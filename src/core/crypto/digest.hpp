#pragma once
#include <array>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/secret.hpp"

namespace postern::crypto {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(core::BytesView data);
inline Sha256 sha256(std::string_view text) { return sha256(core::as_bytes(text)); }
/// For key identifiers only (RFC 5280 §4.2.1.2 method 1).
std::array<std::uint8_t, 20> sha1(core::BytesView data);

enum class HmacHash { sha256, sha384, sha512 };
core::Bytes hmac(HmacHash hash, core::BytesView key, core::BytesView data);

/// SHA-256 of octets that come piece by piece: files too large for memory.
class StreamDigest {
public:
    StreamDigest();
    ~StreamDigest();
    StreamDigest(const StreamDigest&) = delete;
    StreamDigest& operator=(const StreamDigest&) = delete;
    StreamDigest& add(core::BytesView piece);
    /// Once; the digest is used up.
    [[nodiscard]] Sha256 finish();

private:
    void* context_;
};

/// Feeds several parts, each preceded by its length as 8 octets, so that no two lists of parts
/// collide: attempt keys and content hashes.
class PartsDigest {
public:
    PartsDigest& add(core::BytesView part);
    PartsDigest& add(std::string_view part) { return add(core::as_bytes(part)); }
    /// 8 octets, big-endian.
    PartsDigest& add(std::int64_t number);
    /// Once; the digest is used up.
    [[nodiscard]] Sha256 finish();

private:
    StreamDigest stream_;
};

}  // namespace postern::crypto
