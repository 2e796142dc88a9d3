#pragma once
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/key.hpp"

/// Lists of known keys as their publishers write them. They are read where the command runs, so that a
/// private key in one never leaves that machine.
namespace postern::app {

enum class KeyListFormat {
    automatic,
    fingerprints,  ///< a fingerprint a line, or a JSON or YAML list of them; "#" begins a comment
    pem,           ///< keys, certificates and requests, in any number and order
    badkeys,       ///< blocklist.dat: 16 octets a key, of which the last is a list's number
};
std::optional<KeyListFormat> key_list_format_from(std::string_view text) noexcept;

/// What a list says of one key: the key itself, or a fingerprint of it. badkeys names keys by 30 hexadecimal
/// digits, Debian's openssl-blacklist by 20, pwnedkeys.com by 64, Boulder's YAML by 64 or by base64.
struct ListedKey {
    ListedKey() = default;
    std::optional<crypto::PublicKey> key;
    core::Bytes digest;  ///< empty with a key
    bool of_authority = false;  ///< the key of a CA's certificate
    /// Under which digests it is blocked.
    [[nodiscard]] std::vector<core::Bytes> digests() const;
};

struct KeyListCounts {
    KeyListCounts() = default;
    std::int64_t keys = 0;
    /// Keys of a list that no request could have here anyway, being too short or of another algorithm.
    std::int64_t unusable = 0;
    std::string first_unusable;  ///< where, and why
    std::int64_t authorities = 0;  ///< of `keys`: those of CA certificates
    /// A chain: who names it means the certificate at its end, not the CAs above.
    [[nodiscard]] bool is_chain() const noexcept { return authorities > 0 && authorities < keys; }
};

/// Calls `each` for every key, in order and without holding the list. Throws std::runtime_error with
/// the line for what is no such list; nothing after it is looked at.
KeyListCounts read_key_list(std::istream& in, KeyListFormat format, const std::function<void(ListedKey)>& each);

}  // namespace postern::app
