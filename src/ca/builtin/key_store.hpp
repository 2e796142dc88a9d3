#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/time.hpp"
#include "core/crypto/key.hpp"
#include "core/crypto/sealer.hpp"
#include "store/batch.hpp"

namespace postern::ca {

/// Where the private keys of CAs are, sealed under the master key: files for one node, rows of the
/// database for several, which then need the database and the master key alone.
class KeyStore {
public:
    virtual ~KeyStore() = default;
    /// The key is kept by the time that `batch`, which records its CA, is durable.
    virtual void keep(store::Batch& batch, const std::string& key_id, const crypto::PrivateKey& key, core::TimePoint now) = 0;
    /// Throws std::runtime_error that says what to do.
    virtual core::Task<crypto::PrivateKey> find(std::string key_id) = 0;
    /// For people: path of the file, or the row.
    [[nodiscard]] virtual std::string where(const std::string& key_id) const = 0;
};

/// Under the same label and context wherever it is kept, so that a file's octets may become a row.
core::Bytes seal_key(const crypto::Sealer& sealer, const std::string& key_id, const crypto::PrivateKey& key);
/// `where` is for the error. Throws std::runtime_error for what does not open or is another key.
crypto::PrivateKey open_key(const crypto::Sealer& sealer, const std::string& key_id, core::BytesView sealed, const std::string& where);

}  // namespace postern::ca
