#pragma once
#include <optional>
#include <vector>

#include "core/crypto/cms_algorithms.hpp"

namespace postern::scep {

/// What an endpoint lets a message use. GetCACaps is derived from the same value, but it is read
/// unauthenticated, so that every message is judged anew.
struct MessagePolicy {
    MessagePolicy() = default;
    /// SHA-1 only where a profile allows it (RFC 8894 §2.9); MD5 cannot be named.
    std::vector<crypto::CmsDigest> digests{crypto::CmsDigest::sha256, crypto::CmsDigest::sha384, crypto::CmsDigest::sha512};
    /// 3DES only where a profile allows it; DES cannot be named.
    std::vector<crypto::CmsCipher> ciphers{crypto::CmsCipher::aes128_cbc, crypto::CmsCipher::aes192_cbc, crypto::CmsCipher::aes256_cbc};
    /// Of the key that signs a message. Below 2048 nothing is accepted whatever stands here.
    unsigned least_rsa_bits = 2048;
    bool get = true;      ///< PKIOperation by GET, for clients that cannot POST
    std::size_t longest_get = 32 * 1024;  ///< octets of a message by GET; Intune's challenges make 8 KiB and more
    bool renewal = true;  ///< RenewalReq

    [[nodiscard]] bool allows(crypto::CmsDigest d) const noexcept;
    [[nodiscard]] bool allows(crypto::CmsCipher c) const noexcept;
    /// The request's own where it is allowed; else AES-128-CBC, or the first that is allowed.
    [[nodiscard]] crypto::CmsCipher reply_cipher(std::optional<crypto::CmsCipher> asked) const;
    /// The request's own where it is allowed; else SHA-256, or the first that is allowed.
    [[nodiscard]] crypto::CmsDigest reply_digest(std::optional<crypto::CmsDigest> asked) const;
};

}  // namespace postern::scep
