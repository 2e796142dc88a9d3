#pragma once
#include <string>
#include <string_view>

#include "ca/key_store.hpp"
#include "core/crypto/sealer.hpp"

namespace postern::ca {

/// Under the same label and context wherever it is kept, so that a file's octets may become a row.
core::Bytes seal_key(const crypto::Sealer& sealer, const std::string& key_id, const crypto::PrivateKey& key);
/// `where` is for the error. Throws std::runtime_error for what does not open or is another key.
crypto::PrivateKey open_key(const crypto::Sealer& sealer, const std::string& key_id, core::BytesView sealed, const std::string& where);

/// Private keys of the built-in CA as files FOLDER/KEYID.key: PKCS #8, sealed under the master key
/// with the key id as context, so that a file put in another's place does not open.
/// All errors are std::runtime_error that names the file and says what to do (D12).
class KeyFiles final : public KeyStore {
public:
    KeyFiles(std::string folder, const crypto::Sealer& sealer);

    /// Makes the folder (0700) when it is missing, and the file (0600); durable when it returns.
    void store(const std::string& key_id, const crypto::PrivateKey& key) const;
    /// Refuses a symbolic link, a foreign owner, any permission for group or others, a file that
    /// does not open under this master key, and one that holds another key than its name says.
    [[nodiscard]] crypto::PrivateKey load(const std::string& key_id) const;
    [[nodiscard]] bool has(const std::string& key_id) const;
    [[nodiscard]] std::string path(const std::string& key_id) const;

    /// store(), before the batch is written: a file without its CA is harmless, the opposite is not.
    void keep(store::Batch& batch, const std::string& key_id, const crypto::PrivateKey& key, core::TimePoint now) override;
    core::Task<crypto::PrivateKey> find(std::string key_id) override;
    [[nodiscard]] std::string where(const std::string& key_id) const override { return path(key_id); }

private:
    std::string folder_;
    const crypto::Sealer& sealer_;
};

/// Replaces `path` in one step: a reader sees the old content or the new, also after a power cut.
/// `mode` is set exactly, whatever the umask.
void replace_file(const std::string& path, core::BytesView content, unsigned mode);

}  // namespace postern::ca
