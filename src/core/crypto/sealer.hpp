#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/random.hpp"
#include "core/base/secret.hpp"

namespace postern::crypto {

/// Keeps recoverable secrets (EAB keys, private keys) and derives lookup hashes, all from the
/// installation's master key by HKDF-SHA256 with a label a purpose (design §11).
class Sealer {
public:
    /// `master` is exactly 32 octets; anything else throws std::invalid_argument.
    Sealer(core::SecretBytes master, core::Random& random);
    ~Sealer();

    /// AES-256-GCM under HKDF(master, label), `context` (the row's identity) as associated data.
    /// Layout: version 1, 12 octets of nonce, ciphertext, 16 octets of tag.
    [[nodiscard]] core::Bytes seal(std::string_view label, std::string_view context, core::BytesView plain) const;
    /// nullopt: another master key, another row, or changed bytes.
    [[nodiscard]] std::optional<core::SecretBytes> open(std::string_view label, std::string_view context,
                                                        core::BytesView sealed) const;
    /// HMAC-SHA256 under HKDF(master, label): how generated tokens are stored and looked up.
    [[nodiscard]] core::Bytes lookup_hash(std::string_view label, core::BytesView secret) const;

private:
    /// Derived once: every request with a credential asks.
    [[nodiscard]] const core::SecretBytes& lookup_key(std::string_view label) const;

    core::SecretBytes master_;
    core::Random& random_;
    mutable std::mutex mutex_;
    mutable std::map<std::string, core::SecretBytes, std::less<>> lookup_keys_;  ///< by label, of which the program has a handful
};

}  // namespace postern::crypto
