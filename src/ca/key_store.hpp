#pragma once
#include <string>

#include "core/async/task.hpp"
#include "core/base/time.hpp"
#include "core/crypto/key.hpp"
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

}  // namespace postern::ca
