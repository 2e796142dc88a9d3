#pragma once
#include <optional>

#include "core/base/secret.hpp"
#include "core/crypto/cms_algorithms.hpp"
#include "core/crypto/cms_unpad.hpp"

/// The two steps of opening an envelope, apart from its frame. Each does the same work whether what it
/// is given is right or wrong.
namespace postern::crypto {

/// A content-encryption key, or the random one that was put in its place.
struct UnwrappedKey {
    UnwrappedKey() = default;
    core::SecretBytes key;
    Mask good = 0;
};

/// RSAES-PKCS1-v1_5. `fallback` has the size of the key that is expected.
UnwrappedKey unwrap_pkcs1(const PrivateKey& own, core::BytesView encrypted_key, core::SecretBytes fallback);
/// RSAES-OAEP without a label.
UnwrappedKey unwrap_oaep(const PrivateKey& own, CmsDigest digest, CmsDigest mask_digest, core::BytesView encrypted_key,
                         core::SecretBytes fallback);

/// CBC with PKCS #7 padding; `encrypted` is made of whole blocks. Nothing unless both the key was good and
/// the padding is.
std::optional<core::SecretBytes> decrypt_cbc(CmsCipher cipher, const core::SecretBytes& key, core::BytesView vector,
                                             core::BytesView encrypted, Mask key_good);

}  // namespace postern::crypto
